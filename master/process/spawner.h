// Births and ends of the master's children. Master; the first steps of every child.
//
// Every child is a fork without exec. It gets its two channels at fixed numbers, /dev/null as stdin, stdout
// and stderr, default signal dispositions, and nothing else of the master's descriptors. It dies with the
// master (PR_SET_PDEATHSIG, prctl(2); tied to the parent *thread*, so forks happen on the main thread only).
#pragma once

#include "common/sandbox/child_kinds.h"
#include "common/system/result.h"
#include "common/system/secret.h"
#include "common/system/unique_fd.h"
#include "common/wire/protocol.h"
#include "master/process/environment.h"
#include "master/process/fd_group.h"
#include "master/process/heap_plug.h"
#include "master/process/loop.h"
#include "master/process/worker_uids.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace healthcheckd::master {

struct ChildSpec {
    ChildSpec() = default;
    // `detail`: what its title has behind that of its kind.
    explicit ChildSpec(const ChildKind& kind, std::string_view detail = "")
        : title(title_of(kind, detail)), limit(kind.limit) {}

    std::string title;                      // for ps(1)
    std::function<int(pid_t master)> main;  // the child's life; returns its exit status
    const SecretStore* secrets = nullptr;
    SecretStore::Group group = SecretStore::kNobody;  // the secrets that the child may read
    Milliseconds limit{0};                            // the child is killed after it; 0: never
    std::vector<int> extra_fds;                       // become kFirstExtraFd and up
    bool environment = false;     // the child may read the environment (master/process/environment.h)
    WorkerUids::Lease user = {};  // who the child becomes, kept from others until it is reaped
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
    // "exit status 1", "killed by signal 9 (Killed)".
    std::string text() const;
};

// A child to be born among others.
struct SpawnRequest {
    ChildSpec spec;
    std::function<void(const ChildEnd&)> on_end;
    std::function<void(Result<ChildProcess>)> on_spawned;  // what spawn() would have returned
};

class Spawner {
public:
    explicit Spawner(Loop& loop);

    // Forks. `on_end` is called from the loop, once, when the child is reaped, or 1 s after a limit that does
    // not end it. Fails when a descriptor or a process cannot be had (EMFILE, EAGAIN).
    Result<ChildProcess> spawn(const ChildSpec& spec, std::function<void(const ChildEnd&)> on_end);

    // The same for many. A page of memory that the master writes between two forks stays behind as a copy in
    // the child that was born before: here everything is written before and after the forks, so that the
    // children share what they do not write themselves.
    void spawn_all(std::vector<SpawnRequest> requests);

    // Forgets what was to be called at the child's end; the child is still reaped.
    void forget(pid_t pid);

    // Something else is to be called at the child's end: for one that is not waited for, as it hangs in the
    // kernel.
    void on_end(pid_t pid, std::function<void(const ChildEnd&)> callback);

    // SIGKILL to a child of ours that has not been reaped; anything else is ignored.
    void kill(pid_t pid) const;

    // The same with SIGTERM.
    void terminate(pid_t pid) const;

    // From now on children do not inherit the environment, but for those whose ChildSpec says so.
    void hide_environment();

    // What children say, taken together.
    FdGroup& reports() { return reports_; }

    // Who children may become.
    WorkerUids& uids() { return uids_; }

    std::size_t children() const { return on_end_.size(); }
    bool is_child(pid_t pid) const { return on_end_.contains(pid); }

    // Kills every child and reaps them, for at most `limit`.
    void end_all(Milliseconds limit);

private:
    struct PreparedFork;
    Result<ChildProcess> enter(PreparedFork& prepared, const ChildSpec& spec,
                               std::function<void(const ChildEnd&)> on_end);
    void reap();

    Loop& loop_;
    FdGroup reports_;
    std::map<pid_t, std::function<void(const ChildEnd&)>> on_end_;
    std::map<pid_t, Timer> limits_;  // of children that have one
    const SecretStore* environment_ = nullptr;
    WorkerUids uids_;
    std::map<pid_t, WorkerUids::Lease> users_;  // of children that have one of their own
    SignalWatch child_signal_;
    HeapPlug heap_plug_;
};

}  // namespace healthcheckd::master
