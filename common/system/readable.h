// Waiting for a descriptor with a deadline. Every process.
#pragma once

#include <chrono>

namespace healthcheckd {

// Returns the timeout for poll(2): milliseconds until `deadline`, rounded up so that the deadline has passed
// when poll(2) returns; 0 when it has passed already.
int poll_timeout(std::chrono::steady_clock::time_point deadline);

// Waits until `fd` is readable or at its end. Returns false when `deadline` came first or poll(2) failed.
bool readable_by(int fd, std::chrono::steady_clock::time_point deadline);

}  // namespace healthcheckd
