// Processes held by a descriptor (pidfd_open(2)), which never refers to a later process with the same pid.
// Every process.
#pragma once

#include "common/system/unique_fd.h"

#include <chrono>
#include <sys/types.h>

namespace healthcheckd {

// Returns an empty descriptor and sets errno when there is no process `pid` (ESRCH) or no descriptor is left
// (EMFILE). Takes no lock of the process and does not block.
UniqueFd open_pidfd(pid_t pid);

// Returns whether the process has ended; a zombie has, as its pidfd is readable. Does not block.
bool has_ended(const UniqueFd& pidfd);

// Waits for `child`, a child of the caller, and reaps it (waitpid(2)). Returns false when it has not ended
// within the timeout `limit`.
bool reap_within(pid_t child, std::chrono::milliseconds limit);

}  // namespace healthcheckd
