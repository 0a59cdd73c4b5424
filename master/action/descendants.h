// The children of a subreaper, to its last descendant. Action.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <sys/types.h>
#include <vector>

namespace healthcheckd::master {

// All that descends from the calling process but what it spares. It must be a subreaper and reap its children
// by reap() only: then none of the numbers can come to mean a stranger.
class Descendants {
public:
    // Spares the children that are there already.
    Descendants();
    // A child that is none of them.
    void spare(pid_t child) { spared_.insert(child); }
    // Does a child that is spared still run, or wait to be reaped?
    bool spares(pid_t child) const { return spared_.contains(child); }

    // From now on those are spared that are in another session than `session` (setsid(2)).
    void keep_to_session(pid_t session) { session_ = session; }

    // The direct children but those that are spared. Empty too when the kernel has no
    // /proc/PID/task/TID/children (proc(5), CONFIG_PROC_CHILDREN).
    std::vector<pid_t> children() const;

    // Reaps what has ended. Returns the wait status of `wanted` when that is among them.
    std::optional<int> reap(pid_t wanted = -1);

    // Sends SIGKILL to child after child until none is left: the children of one that dies become ours. Gives
    // up at `until`. Sets `status` when `wanted` was among them. Returns how many got the signal.
    std::size_t kill(std::chrono::steady_clock::time_point until, pid_t wanted = -1,
                     std::optional<int>* status = nullptr);

private:
    std::set<pid_t> spared_;
    pid_t session_ = 0;  // 0: any
};

}  // namespace healthcheckd::master
