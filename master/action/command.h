// One shell command with all its descendants, bounded in time and output. Action.
//
// The calling process becomes the subreaper of its descendants (PR_SET_CHILD_SUBREAPER), so that none gets
// away by a double fork or setsid: what it finds and did not have before, it ends.
#pragma once

#include "common/system/result.h"
#include "master/action/guard.h"
#include "master/action/last_look.h"

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace healthcheckd::master {

struct ShellCommand {
    std::string text;                                      // run by /bin/sh -c
    std::vector<std::pair<std::string, std::string>> env;  // added to the caller's environment
    std::chrono::milliseconds limit;                       // then SIGTERM to its process group
    std::chrono::milliseconds grace{2000};                 // and after this SIGKILL to all descendants
    // Called in the process that becomes the shell, just before it does. It may wait for what can hang: when
    // it has not returned within `look_limit`, or has ended that process, another one becomes the shell with
    // what `env` has; one that hangs is killed and left behind.
    std::function<LastLook()> last_look = {};
    std::string looked_up = {};  // the variable of `env` that gets its value
    std::chrono::milliseconds look_limit{2000};
};

struct CommandEnd {
    enum class How {
        by_itself,
        terminated,  // by SIGTERM, at the limit
        killed,      // by SIGKILL, after the grace
        stuck,       // not even by SIGKILL: it hangs in the kernel
    };
    How how = How::by_itself;
    int status = 0;  // of wait(2), unless stuck
    std::chrono::milliseconds took{0};
    std::string output;       // the first 4 KiB of stdout and stderr; the rest is read and dropped
    std::string remark = {};  // of the last look, or what became of it; empty without one
};

// Runs `command` in a session of its own: stdin from /dev/null, no other descriptor than stdout and stderr,
// default signals, umask 022, folder "/", as many descriptors as healthcheckd was started with. Returns when
// the shell ends, at the latest a second after look_limit, limit and grace: a descendant that goes on and holds stdout is
// not waited for. Fails when no process could be made. `guard`: of this command and no other, there until
// the leftovers have been swept up.
Result<CommandEnd> run_shell(ShellCommand command, CommandGuard& guard);

// Waits until no descendant is left. Those that still run at `deadline` get SIGTERM, and 2 s later SIGKILL.
// Returns how many that were.
std::size_t sweep_leftovers(std::chrono::steady_clock::time_point deadline, CommandGuard& guard);

}  // namespace healthcheckd::master
