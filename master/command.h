// One shell command with all its descendants, bounded in time and output. Action.
//
// The calling process becomes the subreaper of its descendants (PR_SET_CHILD_SUBREAPER), so that none gets
// away by a double fork or setsid, and it must have no other children: what it finds, it ends.
//
// Meanwhile it holds SIGTERM back and gets it too when its parent dies. On SIGTERM it ends the command's
// whole tree, then itself, so that neither a stopped nor a killed healthcheckd leaves a command behind.
// Should the calling process itself be killed, the shell dies with it (PR_SET_PDEATHSIG), but not the shell's
// children.
#pragma once

#include "common/result.h"
#include "master/command_cgroup.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace healthcheckd::master {

struct ShellCommand {
    std::string text;                                      // run by /bin/sh -c
    std::vector<std::pair<std::string, std::string>> env;  // added to the caller's environment
    std::chrono::milliseconds limit;                       // then SIGTERM to its process group
    std::chrono::milliseconds grace{2000};                 // and after this SIGKILL to all descendants
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
    std::string output;  // the first 4 KiB of stdout and stderr; the rest is read and dropped
};

// Runs `command` in a session of its own: stdin from /dev/null, no other descriptor than stdout and stderr,
// default signals, umask 022, folder "/". Returns when the shell ends, at the latest a second after limit and
// grace: a descendant that goes on and holds stdout is not waited for. Fails when no process could be made.
// With `group`, the command runs in it, and where a tree is ended it is ended by it first.
Result<CommandEnd> run_shell(const ShellCommand& command, const CommandCgroup* group = nullptr);

// Waits until no descendant is left. Those that still run at `deadline` get SIGTERM, and 2 s later SIGKILL.
// Returns how many that were.
std::size_t sweep_leftovers(std::chrono::steady_clock::time_point deadline,
                            const CommandCgroup* group = nullptr);

}  // namespace healthcheckd::master
