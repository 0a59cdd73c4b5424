#include "common/system/pages.h"

#include <cstdint>
#include <sys/mman.h>
#include <unistd.h>

namespace healthcheckd {

std::size_t page_size() {
    static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return size;
}

// Nothing below this function's frame is in use except the red zone (128 bytes, System V ABI) and what madvise(3) itself
// takes: both lie in the page that stays.
[[gnu::noinline]] void release_stack() {
    constexpr std::uintptr_t kMostUsed = 128 << 10;
    constexpr std::uintptr_t kStays = 4096;
    const std::uintptr_t page = page_size();
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    const std::uintptr_t end = (here - kStays) / page * page;
    // madvise(2) skips unmapped parts and returns ENOMEM.
    (void)::madvise(reinterpret_cast<void*>(end - kMostUsed), kMostUsed, MADV_DONTNEED);
}

}  // namespace healthcheckd
