// A cgroup of its own for one command, so that its whole tree can be ended in one step. Action.
//
// Where a version 2 group can be made (cgroups(7)), cgroup.kill ends every process in it at once, also of a
// tree that grows faster than a sweep finds its processes. Where not (no cgroup2 mounted, no permission,
// Linux before 5.14) nothing of this happens, and the sweep of master/action/descendants is what there is.
#pragma once

#include "common/system/unique_fd.h"

#include <string>
#include <sys/types.h>

namespace healthcheckd::master {

class CommandCgroup {
public:
    // Makes a group below the calling process's own one; none when that cannot be.
    CommandCgroup();
    // Removes the group if no process is left in it.
    ~CommandCgroup();
    CommandCgroup(const CommandCgroup&) = delete;
    CommandCgroup& operator=(const CommandCgroup&) = delete;

    bool exists() const { return static_cast<bool>(group_); }
    // fork(2) with the child born in the group, where there is one; -1 with errno as fork. Without the
    // handlers of pthread_atfork(3): for a process without threads.
    pid_t fork_into() const noexcept;
    // SIGKILL to every process in it.
    void kill() const;
    // Gives a process in it back to the calling process's own group. False: it could not be moved.
    bool release(pid_t pid) const;
    // Gives the processes in it that are in another session than `session` back to the calling process's own
    // group.
    void release_sessions_but(pid_t session) const;

    // Where groups are made: the folder of the calling process's own group; empty when there is none.
    static std::string folder();
    // Removes the empty groups, below the calling process's own one, of processes that are gone: an action
    // that was killed could not remove its own. Returns how many. Looks at 10,000 entries at most.
    static std::size_t remove_stale();

private:
    std::string path_;
    UniqueFd group_;
};

}  // namespace healthcheckd::master
