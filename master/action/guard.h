// Ensures that the end of an action also ends its command. Action.
//
// While it exists, SIGTERM is blocked, and is also sent to the process when its parent dies. On SIGTERM it
// ends the command's whole tree, removes the cgroup, and ends the calling process, so that neither a stopped
// nor a killed healthcheckd leaves a command behind. If the calling process itself is killed, the shell dies
// with it (PR_SET_PDEATHSIG), but the shell's children and the cgroup's folder stay: see
// CommandCgroup::remove_stale().
//
// Code that waits while a guard exists must also wait for fd(). Work that cannot do so runs in help().
#pragma once

#include "common/system/unique_fd.h"
#include "master/action/cgroup.h"
#include "master/action/descendants.h"

#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace healthcheckd::master {

class CommandGuard {
public:
    enum class Grouping {
        own_cgroup,  // for the command, if one can be created
        none,
    };
    explicit CommandGuard(Grouping grouping = Grouping::own_cgroup);
    ~CommandGuard();
    CommandGuard(const CommandGuard&) = delete;
    CommandGuard& operator=(const CommandGuard&) = delete;

    // Becomes readable when SIGTERM has come: call obey() then.
    int fd() const { return term_.get(); }
    // Ends all descendants, then this process as SIGTERM would have done.
    [[noreturn]] void obey();

    // As fork(2), for a process without threads. The child belongs to the command: it is in its cgroup.
    pid_t fork() const noexcept;
    Descendants& tree() { return tree_; }
    // Sends SIGKILL to a child made by fork() and abandons it: it may hang in the kernel.
    void give_up(pid_t child);
    // The command has ended by itself: what it has left in another session, or is about to move there, is a
    // daemon that it was meant to start, and is left alone from now on. `session`: the command's. To be
    // called repeatedly while others of the tree are waited for.
    void leave_daemons(pid_t session);
    // Sends SIGKILL to the whole tree: at once if there is a group, and one by one to processes that left it
    // or were never in it, for at most a second. Returns as Descendants::kill().
    std::size_t end_tree(pid_t wanted = -1, std::optional<int>* status = nullptr);

    // Runs `work` in a process outside of the tree, which ends with this one. Returns false when
    // no process can be created.
    bool help(const std::function<void()>& work);
    // Waits until every helper has ended; kills them at `deadline`.
    void wait_for_helpers(std::chrono::steady_clock::time_point deadline);

private:
    sigset_t old_mask_;
    int old_death_signal_ = 0;
    UniqueFd term_;
    Descendants tree_;
    std::vector<pid_t> helpers_;
    std::optional<CommandCgroup> group_;
    pid_t session_ = 0;  // of a command that ended by itself; 0: it has not
};

}  // namespace healthcheckd::master
