// The only process that makes accesses to /proc which another process can block: reading start times, and
// opening smaps_rollup. Process reader.
//
// execve(2) holds a lock of its process (exec_update_lock) while it closes descriptors, and closing a file of
// a FUSE, NFS or CIFS server that is gone does not return. Opening /proc/PID/smaps_rollup waits for that lock
// on every kernel, reading /proc/PID/stat on some (Linux 6.18). A process that waits there can be killed.
#pragma once

#include "common/config/config.h"
#include "common/sandbox/sandbox.h"

#include <sys/types.h>

namespace healthcheckd::master {

// Returns the privileges of the process reader, running as `user`.
SandboxProfile process_reader_profile(const ChildUser& user);

// Confines itself as `user`, then answers the master's requests, one after the other, until the master closes
// its end. Returns the exit status.
int run_process_reader(SandboxLevel level, const ChildUser& user, pid_t master) noexcept;

}  // namespace healthcheckd::master
