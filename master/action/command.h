// Runs a shell command, with limits on time and output, and ends all of its descendants. Action.
//
// The calling process becomes the subreaper of its descendants (PR_SET_CHILD_SUBREAPER), so that none escapes
// by a double fork or setsid(2): it ends every descendant that it did not have before.
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
    std::chrono::milliseconds limit;                       // timeout; SIGTERM to its process group then
    std::chrono::milliseconds grace{2000};                 // from SIGTERM to SIGKILL for all descendants
    // Called in the child that becomes the shell, just before it does. May block: when it has not returned
    // within `look_limit`, or has ended that process, a second process becomes the shell with `env` as it is;
    // a first process that hangs is killed and abandoned.
    std::function<LastLook()> last_look = {};
    std::string looked_up = {};  // the variable of `env` that is set to its value
    std::chrono::milliseconds look_limit{2000};
};

struct CommandEnd {
    enum class How {
        by_itself,
        terminated,  // by SIGTERM, at the timeout
        killed,      // by SIGKILL, after the grace
        stuck,       // SIGKILL does not end it: it hangs in the kernel
    };
    How how = How::by_itself;
    int status = 0;  // of wait(2), unless stuck
    std::chrono::milliseconds took{0};
    std::string output;       // the first 4 KiB of stdout and stderr; the rest is discarded
    std::string remark = {};  // of last_look, or why it has no result; empty without one
};

// Runs `command` in a session of its own: stdin from /dev/null, no descriptors but stdout and stderr, default
// signals, umask 022, folder "/", and the descriptor limit that healthcheckd was started with. Returns when
// the shell ends, at the latest a second after look_limit, limit and grace; does not wait for a descendant
// that keeps stdout open. Fails when no process can be created. `guard`: used for this command only, and kept
// until sweep_leftovers() has returned.
Result<CommandEnd> run_shell(ShellCommand command, CommandGuard& guard);

// Waits until no descendant is left. Those still running at `deadline` get SIGTERM, and SIGKILL 2 s
// later. Returns their number.
std::size_t sweep_leftovers(std::chrono::steady_clock::time_point deadline, CommandGuard& guard);

}  // namespace healthcheckd::master
