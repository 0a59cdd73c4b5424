// Sees to it that whoever ends an action ends its command as well. Action.
//
// From its birth to its end it holds SIGTERM back and gets it too when its parent dies. On SIGTERM it ends
// the command's whole tree, removes its cgroup, then ends the calling process, so that neither a stopped nor
// a killed healthcheckd leaves a command behind. Should the calling process itself be killed, the shell dies
// with it (PR_SET_PDEATHSIG), but not the shell's children, and the cgroup's folder stays: see
// remove_stale_cgroups().
//
// Whoever waits while it lives waits for fd() as well. What cannot do that is done by a helper.
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
        own_cgroup,  // for the command, where one can be made
        none,
    };
    explicit CommandGuard(Grouping grouping = Grouping::own_cgroup);
    ~CommandGuard();
    CommandGuard(const CommandGuard&) = delete;
    CommandGuard& operator=(const CommandGuard&) = delete;

    // Readable when SIGTERM has come: then obey().
    int fd() const { return term_.get(); }
    // Ends all descendants, then this process as SIGTERM would have.
    [[noreturn]] void obey();

    // As fork(2), for a process without threads. The child is the command's: in its cgroup.
    pid_t fork() const noexcept;
    Descendants& tree() { return tree_; }
    // SIGKILL to a child that fork() made, which nobody waits for from now on: it may hang in the kernel.
    void give_up(pid_t child);
    // The command has ended by itself: what it has left in a session of its own, or is about to move there,
    // is a daemon that it was to start, and is left alone from now on. `session`: the command's. To be called
    // again as long as others of the tree are waited for.
    void leave_daemons(pid_t session);
    // SIGKILL to the whole tree: at once where there is a group, and whoever left it, or was never in it, one
    // by one, for at most a second. As Descendants::kill().
    std::size_t end_tree(pid_t wanted = -1, std::optional<int>* status = nullptr);

    // Does `work` in a process of its own, outside of the tree, that ends with this one. False: no process
    // could be made.
    bool help(const std::function<void()>& work);
    // Waits until every helper has ended; at `deadline` they are killed.
    void wait_for_helpers(std::chrono::steady_clock::time_point deadline);

private:
    sigset_t old_mask_;
    int old_death_signal_ = 0;
    UniqueFd term_;
    Descendants tree_;
    std::vector<pid_t> helpers_;
    std::optional<CommandCgroup> group_;
    pid_t session_ = 0;  // of a command that has ended by itself; 0: it has not
};

}  // namespace healthcheckd::master
