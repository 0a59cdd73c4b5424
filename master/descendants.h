// The children of a subreaper, to its last descendant. Action.
#pragma once

#include <chrono>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace healthcheckd::master {

// The direct children of the calling process. As it is a subreaper and reaps them itself, none of these
// numbers can come to mean a stranger before reap_children(). Empty too when the kernel has no
// /proc/PID/task/TID/children (proc(5), CONFIG_PROC_CHILDREN).
std::vector<pid_t> child_processes();

// Reaps what has ended. Returns the wait status of `wanted` when that is among them.
std::optional<int> reap_children(pid_t wanted = -1);

// Sends SIGKILL to child after child until none is left: the children of one that dies become ours. Gives up
// at `until`. Sets `status` when `wanted` was among them. Returns how many got the signal.
std::size_t kill_children(std::chrono::steady_clock::time_point until, pid_t wanted = -1,
                          std::optional<int>* status = nullptr);

}  // namespace healthcheckd::master
