// A process held by a descriptor (pidfd_open(2)), which cannot come to mean a later one with its number.
// Every process.
#pragma once

#include "common/system/unique_fd.h"

#include <chrono>
#include <sys/types.h>

namespace healthcheckd {

// Takes no lock of the process and does not wait. Empty, with errno, when there is no process `pid` (ESRCH),
// or no descriptor is left (EMFILE).
UniqueFd open_pidfd(pid_t pid);

// Whether the process has ended, as a zombie too: its pidfd is readable from then on. Does not wait.
bool has_ended(const UniqueFd& pidfd);

// Waits for the end of `child`, one of the caller's, and takes its status (waitpid(2)). False: it has not
// ended within `limit`.
bool reap_within(pid_t child, std::chrono::milliseconds limit);

}  // namespace healthcheckd
