// Waiting for a descriptor until a point in time. Every process.
#pragma once

#include <chrono>

namespace healthcheckd {

// The time limit for poll(2): milliseconds until `deadline`, rounded up so that it is over afterwards; 0 when it is
// over already.
int poll_timeout(std::chrono::steady_clock::time_point deadline);

// Waits until `fd` can be read or has ended. False: `deadline` came first, or poll(2) failed.
bool readable_by(int fd, std::chrono::steady_clock::time_point deadline);

}  // namespace healthcheckd
