// A cgroup of its own for one command, so that its whole tree can be ended in one step. Action.
//
// Where a version 2 group can be made (cgroups(7)), cgroup.kill ends every process in it at once, also of a
// tree that grows faster than a sweep finds its processes. Where not (no cgroup2 mounted, no permission,
// Linux before 5.14) nothing of this happens, and the sweep of master/descendants is what there is.
#pragma once

#include "common/unique_fd.h"

#include <string>

namespace healthcheckd::master {

class CommandCgroup {
public:
    // Makes a group below the calling process's own one; none when that cannot be.
    CommandCgroup();
    // Removes the group if no process is left in it.
    ~CommandCgroup();
    CommandCgroup(const CommandCgroup&) = delete;
    CommandCgroup& operator=(const CommandCgroup&) = delete;

    bool exists() const { return static_cast<bool>(procs_); }
    // Moves the calling process into the group. For the forked child; does what signal-safety(7) allows.
    void enter() const noexcept;
    // SIGKILL to every process in it.
    void kill() const;

private:
    std::string path_;
    UniqueFd procs_;
};

}  // namespace healthcheckd::master
