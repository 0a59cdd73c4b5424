// A cgroup for one command, so that all of its processes can be killed in one step. Action.
//
// Where a version 2 group can be created (cgroups(7)), cgroup.kill kills every process in it at once,
// even those of a tree that forks faster than a sweep finds its processes. Elsewhere (no cgroup2 mounted,
// no permission, Linux before 5.14) all of this does nothing, and only the sweep of
// master/action/descendants remains.
#pragma once

#include "common/system/unique_fd.h"

#include <string>
#include <sys/types.h>

namespace healthcheckd::master {

class CommandCgroup {
public:
    // Creates a group below the one of the calling process; exists() returns false on failure.
    CommandCgroup();
    // Removes the group if no process is left in it.
    ~CommandCgroup();
    CommandCgroup(const CommandCgroup&) = delete;
    CommandCgroup& operator=(const CommandCgroup&) = delete;

    bool exists() const { return static_cast<bool>(group_); }
    // As fork(2), with the child created in the group if it exists; returns -1 and sets errno on failure.
    // Skips the handlers of pthread_atfork(3): only for a process without threads.
    pid_t fork_into() const noexcept;
    // Sends SIGKILL to every process in it.
    void kill() const;
    // Moves a process in it back to the calling process's own group. Returns false on failure.
    bool release(pid_t pid) const;
    // Moves those processes in it that are in another session than `session` back to the calling process's
    // own group.
    void release_sessions_but(pid_t session) const;

    // Returns the folder in which groups are created: that of the calling process's own group; "" when there
    // is none.
    static std::string folder();
    // Removes the empty groups below the calling process's own one whose owners have ended: an action that
    // was killed leaves its group behind. Returns their number. Reads 10,000 entries at most.
    static std::size_t remove_stale();

private:
    std::string path_;
    UniqueFd group_;
};

}  // namespace healthcheckd::master
