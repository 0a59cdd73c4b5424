#include "master/nursery/heap_plug.h"

#include <cstdint>
#include <cstdlib>
#include <malloc.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMaxPlugs = 50'000;
constexpr std::size_t kMaxBytes = 4 << 20;

// Returns the start of the free memory at the end of glibc's heap (mallinfo(3)): an address that malloc(3)
// returns below it filled a hole.
std::uintptr_t end_of_heap() {
    return reinterpret_cast<std::uintptr_t>(::sbrk(0)) - ::mallinfo2().keepcost;
}

}  // namespace

void HeapPlug::Free::operator()(void* memory) const {
    std::free(memory);
}

void HeapPlug::clear() {
    plugs_.clear();
    bytes_ = 0;
}

void HeapPlug::fill() {
    clear();
    plugs_.reserve(kMaxPlugs);  // so that the vector does not make a hole when it grows
    const std::uintptr_t end = end_of_heap();
    const auto take = [&](std::size_t size) {
        while (plugs_.size() < kMaxPlugs && bytes_ < kMaxBytes) {
            std::unique_ptr<void, Free> plug(std::malloc(size));
            if (!plug || reinterpret_cast<std::uintptr_t>(plug.get()) >= end)
                return;
            bytes_ += size;
            plugs_.push_back(std::move(plug));
        }
    };
    // The last allocation of a size comes from the end of the heap and is freed again. That leaves no hole
    // when it is large, and a chunk in malloc's cache when it is small. So sizes in between are skipped:
    // small allocations fill their holes as well.
    for (std::size_t size = 64 * 1024; size > 1280; size -= 256)
        take(size);
    for (std::size_t size = 248; size >= 24; size -= 16)
        take(size);
}

}  // namespace healthcheckd::master
