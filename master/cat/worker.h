// The worker of one cat, seen from the master: started, confined, probing, lost, replaced. Master.
#pragma once

#include "common/config/config.h"
#include "common/log/log_line.h"
#include "common/wire/protocol_worker.h"
#include "master/cat/prober.h"
#include "master/files/log_recovery.h"
#include "master/files/rotation_limit.h"
#include "master/process/keeper.h"
#include "master/process/task.h"
#include "master/reader/process_reader.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace healthcheckd::master {

// The data shared by all workers.
struct WorkerContext {
    Loop& loop;
    Spawner& spawner;
    LayerNotes& layers;
    ProcessReader& processes;
    LogRecovery& logs;
};

class Worker final : public Prober {
public:
    Worker(const WorkerContext& context, Identity identity, Callbacks callbacks);
    ~Worker() override;

    SpawnRequest start() override;
    void adopt(std::shared_ptr<const Config> config, std::size_t index) override;
    // Returns false also while the file that measures its process is still being opened.
    bool ready() const override { return child_.ready() && !measuring_; }
    bool probing() const override { return probing_; }
    const std::string& blind() const override { return blind_; }
    void look_again() override;
    const std::string& trouble() const override { return trouble_; }
    void track(ProcessId process) override;
    void probe(ProbeCommand command) override;
    Milliseconds probe_limit() const override;

    pid_t pid() const override { return child_.pid(); }
    std::uint64_t spawns() const override { return child_.starts(); }
    std::string last_exit() const override { return last_exit_; }
    int control() const override { return child_.control(); }

private:
    static constexpr Milliseconds kReadyLimit{10'000};
    static constexpr Milliseconds kRotationPause{5'000};
    // The time from SIGKILL to a worker's end after which the worker counts as hanging in the kernel.
    static constexpr Milliseconds kReapLimit{300};
    // The number of hanging workers at which no further one is started.
    static constexpr std::size_t kMostCorpses = 3;
    static constexpr std::size_t kMostLeftOut = 16;
    // How long a process at which a worker hung is left out.
    static constexpr Milliseconds kFirstRest{10'000};
    static constexpr Milliseconds kLongestRest{60'000};

    ChildSpec spec();
    void on_failed_start(const Error& error);
    void send_track();
    void measure(ProcessId process);
    void on_measure(ProcessId process, Result<UniqueFd> file);
    // Sends a line that is no probe command.
    void send(std::string_view line, int attached = -1);
    void write(std::string_view line, int attached = -1);
    void on_late();
    bool on_line(std::string_view text);
    void on_report(const Report& report, std::string_view text);
    void on_open_request(const OpenRequest& request);
    void on_rotate_request();
    void rotate_log();
    // The worker is gone: handles the log and calls back.
    void on_loss(const ChildKeeper::Loss& loss);
    // The log may be why the worker hangs: later workers get none until a write to it has succeeded.
    void doubt_log();
    void await_log();
    // Returns how long to wait before the next attempt when too many of its workers hang, and logs
    // that; nullopt: they do not.
    std::optional<Milliseconds> too_many_hang();
    // Returns whether the worker has read all from its socket.
    bool nothing_unread() const;
    // Notes the process that a hanging worker was examining.
    void note_hanging_look();
    std::string hanging_measure() const;
    // Returns whether the worker finds its process itself (pidGet name or file).
    bool finds_process() const;

    const WorkerContext& context_;
    Identity identity_;
    Callbacks callbacks_;
    ProcessId tracked_;
    bool probing_ = false;
    bool rotation_due_ = false;  // requested, and waiting for kRotationPause to pass
    TimePoint rotated_at_{};
    std::shared_ptr<RotationLimit> rotations_;  // of the current worker; a rotation may outlast that one
    bool unlogged_said_ = false;
    ProbeCommand probed_;        // the probe under way
    bool took_command_ = false;  // the worker has certainly read it
    ProcessId found_;            // the last process that a worker has found itself
    bool measuring_ = false;     // the file that measures tracked_ is being opened
    std::string blind_;          // why it could not be opened
    bool logs_ = true;           // the next worker gets a log
    // Shared memory to which a worker that finds its process writes the pid that it is examining.
    UniqueFd mark_;
    LeftOut left_out_;      // processes at which a worker hung, and until when they are left out
    Milliseconds rest_{0};  // how long the last of them is left out
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::uint64_t seq_ = 0;
    std::string last_exit_;
    std::string trouble_;
    Timer rotation_;
    Task rotating_;  // the child that renews the log; it ends with us
    ChildKeeper child_;
};

}  // namespace healthcheckd::master
