// All descendants of a subreaper. Action.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <sys/types.h>
#include <vector>

namespace healthcheckd::master {

// The descendants of the calling process, except spared ones. The process must be a subreaper and reap its
// children only through reap(): then no pid can refer to an unrelated process.
class Descendants {
public:
    // Spares the children that exist already.
    Descendants();
    // Spares another child.
    void spare(pid_t child) { spared_.insert(child); }
    // Returns whether `child` is spared and has not been reaped.
    bool spares(pid_t child) const { return spared_.contains(child); }

    // Spares from now on the descendants that are in another session than `session` (setsid(2)).
    void keep_to_session(pid_t session) { session_ = session; }

    // Returns the direct children that are not spared. Returns none also when the kernel lacks
    // /proc/PID/task/TID/children (proc(5), CONFIG_PROC_CHILDREN).
    std::vector<pid_t> children() const;

    // Reaps all children that have ended. Returns the wait status of `wanted` if it is among them.
    std::optional<int> reap(pid_t wanted = -1);

    // Sends SIGKILL to child after child until none is left: the children of each become ours. Gives up at
    // `until`. Sets `status` if `wanted` was among them. Returns the number of children that got the signal.
    std::size_t kill(std::chrono::steady_clock::time_point until, pid_t wanted = -1,
                     std::optional<int>* status = nullptr);

private:
    std::set<pid_t> spared_;
    pid_t session_ = 0;  // 0: any
};

}  // namespace healthcheckd::master
