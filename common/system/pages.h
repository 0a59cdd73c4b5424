// Pages of this process's memory: 4, 16 or 64 KB, as the kernel was built. Every process.
#pragma once

#include <cstddef>

namespace healthcheckd {

// Returns the size of a page in bytes, a power of two. /proc/PID/statm counts in these. Makes no system call.
std::size_t page_size();

// Gives back up to 128 KB of the stack below the caller's frame: what earlier calls have used of it, to the page. Best
// effort; more of the stack is mapped again when it is needed.
void release_stack();

}  // namespace healthcheckd
