// The only process that reads of /proc what another process can hold back: start times, and the opening of
// smaps_rollup. Process reader.
//
// execve(2) holds a lock of its process (exec_update_lock) while it closes descriptors, and the close of a
// file of a FUSE, NFS or CIFS server that is gone does not return. Opening /proc/PID/smaps_rollup waits for
// that lock on every kernel, reading /proc/PID/stat does on some (Linux 6.18). Whoever waits there can be
// killed.
#pragma once

#include "common/config/config.h"
#include "common/sandbox/sandbox.h"

#include <sys/types.h>

namespace healthcheckd::master {

// What the process reader may do, as `user`.
SandboxProfile process_reader_profile(const ChildUser& user);

// Confines itself as `user`, then answers the master's questions, one after the other, until the master
// closes its end. Returns the exit status.
int run_process_reader(SandboxLevel level, const ChildUser& user, pid_t master) noexcept;

}  // namespace healthcheckd::master
