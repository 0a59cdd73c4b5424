#include "master/process/heap_plug.h"

#include <cstdint>
#include <cstdlib>
#include <malloc.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMaxPlugs = 50'000;
constexpr std::size_t kMaxBytes = 4 << 20;

// Where the free end of glibc's heap begins (mallinfo(3)): what malloc(3) returns from below filled a hole.
std::uintptr_t end_of_heap() {
    return reinterpret_cast<std::uintptr_t>(::sbrk(0)) - ::mallinfo2().keepcost;
}

}  // namespace

void HeapPlug::Free::operator()(void* memory) const {
    std::free(memory);
}

void HeapPlug::fill() {
    plugs_.clear();
    bytes_ = 0;
    plugs_.reserve(kMaxPlugs);  // so that it does not make a hole itself when it grows
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
    // The piece that came from the end and is given back leaves no hole when it is large, and one in malloc's
    // cache when it is small. So the sizes between are left out: pieces of the small ones fill their holes as
    // well.
    for (std::size_t size = 64 * 1024; size > 1280; size -= 256)
        take(size);
    for (std::size_t size = 248; size >= 24; size -= 16)
        take(size);
}

}  // namespace healthcheckd::master
