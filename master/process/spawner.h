// Starts and reaps the master's children. Master; the first steps of every child.
//
// Every child is a fork without exec. It has its two channels at fixed numbers, /dev/null as stdin, stdout
// and stderr, default signal dispositions, and no other descriptor of the master. It is killed when the
// master ends (PR_SET_PDEATHSIG, prctl(2); it depends on the parent *thread*, so only the main thread forks).
#pragma once

#include "common/sandbox/child_kinds.h"
#include "common/system/result.h"
#include "common/system/secret.h"
#include "common/system/unique_fd.h"
#include "master/nursery/nursery.h"
#include "master/process/backoff.h"
#include "master/process/environment.h"
#include "master/process/fd_group.h"
#include "master/process/loop.h"
#include "master/process/worker_uids.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

namespace healthcheckd::master {

struct ChildSpec {
    ChildSpec() = default;
    // `detail` is appended to the title of the kind.
    explicit ChildSpec(const ChildKind& kind, std::string_view detail = "") : title(title_of(kind, detail)) {}

    std::string title;                      // for ps(1)
    std::function<int(pid_t master)> main;  // runs in the child; returns its exit status
    const SecretStore* secrets = nullptr;
    SecretStore::Group group = SecretStore::kNobody;  // the secrets that the child may read
    std::vector<int> extra_fds;                       // become kFirstExtraFd and up
    bool environment = false;     // the child may read the environment (master/process/environment.h)
    WorkerUids::Lease user = {};  // the user that the child changes to; reserved until it is reaped
    // A worker, to be forked by the nursery, in place of main, secrets, group and environment. The first of extra_fds is
    // its look mark.
    std::optional<Birth> birth = {};
};

struct ChildProcess {
    pid_t pid = -1;
    UniqueFd control;  // the master's end, non-blocking
    UniqueFd report;   // read end, non-blocking
};

// How a child ended.
struct ChildEnd {
    pid_t pid = 0;
    int wait_status = 0;

    bool clean() const;  // exit status 0
    bool is_exit(int status) const;
    // Returns "exit status 1", "killed by signal 9 (Killed)".
    std::string text() const;
};

// A child to be started by spawn_all().
struct SpawnRequest {
    ChildSpec spec;
    std::function<void(const ChildEnd&)> on_end;
    std::function<void(Result<ChildProcess>)> on_spawned;  // gets the result that spawn() would have returned
};

class Spawner {
public:
    explicit Spawner(Loop& loop);

    // Forks. `on_end` is called once, from the loop, when the child is reaped; deadlines are set by Task and ChildKeeper.
    // Fails when there is no descriptor or process left (EMFILE, EAGAIN).
    Result<ChildProcess> spawn(const ChildSpec& spec, std::function<void(const ChildEnd&)> on_end);

    // As spawn(), for many workers (ChildSpec::birth), in groups.
    void spawn_all(std::vector<SpawnRequest> requests);

    // Cancels the child's `on_end`; the child is still reaped.
    void forget(pid_t pid);

    // Replaces the child's `on_end`, for a child that hangs in the kernel and is not waited for.
    void on_end(pid_t pid, std::function<void(const ChildEnd&)> callback);

    // Sends SIGKILL to a child that has not been reaped; ignores any other pid.
    void kill(pid_t pid) const;

    // As kill(), with SIGTERM and then SIGCONT: a process that is stopped handles no signal but SIGKILL until it
    // is continued.
    void terminate(pid_t pid) const;

    // Hides the environment from all children forked from now on, except those with ChildSpec::environment.
    void hide_environment();

    // Sets the main function of all workers; before the first one.
    void use_worker_main(Nursery::WorkerMain worker_main) { worker_main_ = std::move(worker_main); }

    // Forks the nursery, if there is none: the earlier, the smaller it is. The first worker does it otherwise.
    Result<void> open_nursery();

    // The report pipes of all children.
    FdGroup& reports() { return reports_; }

    // The users that children can change to.
    WorkerUids& uids() { return uids_; }

    std::size_t children() const { return on_end_.size(); }
    bool is_child(pid_t pid) const { return on_end_.contains(pid); }

    // Kills and reaps all children, with the timeout `limit`.
    void end_all(Milliseconds limit);

private:
    struct PreparedFork;
    void fork_workers(std::span<PreparedFork> forks);
    Result<std::vector<pid_t>> order(std::span<const Nursery::Order> orders);
    Result<ChildProcess> enter(PreparedFork& prepared, std::function<void(const ChildEnd&)> on_end);
    // Gives up the nursery; the next one comes after a back-off.
    void lose_nursery();
    void reap();

    FdGroup reports_;
    std::map<pid_t, std::function<void(const ChildEnd&)>> on_end_;
    const SecretStore* environment_ = nullptr;
    WorkerUids uids_;
    std::map<pid_t, WorkerUids::Lease> users_;  // of children that have a user of their own
    SignalWatch child_signal_;
    Nursery::WorkerMain worker_main_ = worker::run_worker;
    struct NurseryProcess {
        pid_t pid;
        UniqueFd report;
        Nursery nursery;
    };
    std::optional<NurseryProcess> nursery_;
    static constexpr std::size_t kMostLostNurseries = 4;
    std::vector<pid_t> lost_nurseries_;  // not all of them are reaped
    Backoff nursery_backoff_;
    TimePoint next_nursery_{};
};

}  // namespace healthcheckd::master
