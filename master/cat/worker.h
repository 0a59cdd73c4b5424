// One cat's worker as the master sees it: born, confined, probing, lost, replaced. Master.
#pragma once

#include "common/config/config.h"
#include "common/log/log_line.h"
#include "common/wire/protocol.h"
#include "master/cat/prober.h"
#include "master/files/log_recovery.h"
#include "master/files/rotation_limit.h"
#include "master/process/filter_cache.h"
#include "master/process/keeper.h"
#include "master/reader/process_reader.h"
#include "worker/entry.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace healthcheckd::master {

// What all workers share.
struct WorkerContext {
    Loop& loop;
    Spawner& spawner;
    LayerNotes& layers;
    FilterCache& filters;
    ProcessReader& processes;
    LogRecovery& logs;
    // The life of a worker; another one only in tests that need a worker which misbehaves.
    std::function<int(const worker::WorkerStart&)> life = worker::run_worker;
};

class Worker final : public Prober {
public:
    Worker(const WorkerContext& context, Identity identity, Callbacks callbacks);
    ~Worker() override;

    SpawnRequest start() override;
    void adopt(std::shared_ptr<const Config> config, std::size_t index) override;
    // Not while the file that measures its process is still to come.
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
    // What a worker that got SIGKILL has to end in, before it counts as one that hangs in the kernel.
    static constexpr Milliseconds kReapLimit{300};
    // So many that hang there, and no other one is started.
    static constexpr std::size_t kMostCorpses = 3;
    static constexpr std::size_t kMostLeftOut = 16;
    static constexpr Milliseconds kFirstRest{10'000};  // of a process at which a worker hung
    static constexpr Milliseconds kLongestRest{60'000};

    ChildSpec spec();
    void on_failed_start(const Error& error);
    void send_track();
    void measure(ProcessId process);
    void on_measure(ProcessId process, Result<UniqueFd> file);
    void send(std::string_view line, int attached = -1);
    std::string on_late();
    bool on_line(std::string_view text);
    void on_report(const Report& report, std::string_view text);
    void on_open_request(const OpenRequest& request);
    void on_rotate_request();
    void rotate_log();
    // The worker is of no more use: the log, the callbacks.
    void on_loss(const ChildKeeper::Loss& loss);
    // The log may be why it hangs: later workers get none until a write is known to work.
    void doubt_log();
    void await_log();
    // Too many of its workers hang: says so. How long to wait before looking again; nullopt: they do not.
    std::optional<Milliseconds> too_many_hang();
    // Has the worker taken the last command from its socket?
    bool took_command() const;
    // The process that a worker which hangs was looking at.
    void note_hanging_look();
    // Does the worker look for its process by itself (pidGet name or file)?
    bool finds_process() const;

    const WorkerContext& context_;
    Identity identity_;
    Callbacks callbacks_;
    ProcessId tracked_;
    bool probing_ = false;
    std::shared_ptr<bool> rotating_ =
        std::make_shared<bool>(false);  // outlives us in the log child's callback
    bool rotation_due_ = false;         // asked for, and waiting for the pause after the last one
    TimePoint rotated_at_{};
    std::shared_ptr<RotationLimit> rotations_;  // of the worker that lives; outlives us as `rotating_` does
    bool unlogged_said_ = false;
    ProbeCommand probed_;     // the probe under way
    bool measuring_ = false;  // the file that measures tracked_ is being opened
    std::string blind_;       // why it could not be opened
    bool logs_ = true;        // the next worker gets a log
    UniqueFd
        mark_;  // where a worker that looks for its process writes the pid that it is looking at (memory)
    LeftOut left_out_;      // processes at which a worker hung, and until when nobody looks at them
    Milliseconds rest_{0};  // that the last of them got
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::uint64_t seq_ = 0;
    std::string last_exit_;
    std::string trouble_;
    Timer rotation_;
    ChildKeeper child_;
};

}  // namespace healthcheckd::master
