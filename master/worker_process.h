// One cat's worker as the master sees it: born, confined, probing, lost, replaced. Master.
#pragma once

#include "common/config.h"
#include "common/protocol.h"
#include "master/backoff.h"
#include "master/filter_cache.h"
#include "master/layer_notes.h"
#include "master/report_reader.h"
#include "master/rotation_limit.h"
#include "master/spawner.h"
#include "worker/entry.h"

#include <functional>
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
    // The life of a worker; another one only in tests that need a worker which misbehaves.
    std::function<int(const worker::WorkerStart&)> life = worker::run_worker;
};

class WorkerProcess {
public:
    struct Identity {
        std::shared_ptr<const Config> config;
        std::size_t index = 0;  // of the cat in config->cats
        std::string name;       // "cat1", "cat1/web_00"
        std::string program;

        const CatConfig& cat() const { return config->cats[index]; }
        // "cat1 gateway", for the log.
        std::string who() const { return name + " " + program; }
    };
    struct Callbacks {
        std::function<void(const Report&)> on_report;
        // The worker was lost; `probing`: with a probe under way, whose answer never comes.
        std::function<void(bool probing, const std::string& why)> on_lost;
    };

    WorkerProcess(const WorkerContext& context, Identity identity, Callbacks callbacks);
    ~WorkerProcess();

    // The first worker, to be born among those of the other cats.
    Birth start();

    // Later workers are born by another configuration, in which the cat's keys are the same.
    void adopt(std::shared_ptr<const Config> config, std::size_t index);

    bool ready() const { return ready_; }
    bool probing() const { return probing_; }
    // Why there is no worker now, empty when there is one or one is just starting.
    const std::string& trouble() const { return trouble_; }

    // The process to measure from now on; pid 0: it ended.
    void track(ProcessId process);
    // Sends a probe to a worker that is ready and not probing, and starts its deadline.
    void probe(ProbeCommand command);

    pid_t pid() const { return child_ ? child_->pid : 0; }
    std::uint64_t spawns() const { return spawns_; }
    const std::string& last_exit() const { return last_exit_; }
    // The master's end of the worker's socket, for a child that hands it a new log; -1 while there is none.
    int control() const { return child_ ? child_->control.get() : -1; }

private:
    static constexpr Milliseconds kReadyLimit{10'000};
    static constexpr Milliseconds kRotationPause{5'000};

    Birth birth();
    void born(Result<ChildProcess> child);
    void spawn();
    void send_track();
    void send(std::string_view line, int attached = -1);
    void on_deadline();
    void on_line(std::string_view text);
    void on_open_request(const OpenRequest& request);
    void on_rotate_request();
    void rotate_log();
    void replace(std::string_view why);
    void on_end(const ChildEnd& end);
    // Does the worker look for its process by itself (pidGet name or file)?
    bool finds_process() const;
    Milliseconds probe_limit() const;

    const WorkerContext& context_;
    Identity identity_;
    Callbacks callbacks_;
    std::optional<ChildProcess> child_;
    std::unique_ptr<ReportReader> reader_;
    ProcessId tracked_;
    bool ready_ = false;
    bool probing_ = false;
    std::shared_ptr<bool> rotating_ =
        std::make_shared<bool>(false);  // outlives us in the log child's callback
    bool rotation_due_ = false;         // asked for, and waiting for the pause after the last one
    TimePoint rotated_at_{};
    std::shared_ptr<RotationLimit> rotations_;  // of the worker that lives; outlives us as `rotating_` does
    bool unlogged_said_ = false;
    ProcessId probed_;  // what the probe under way is about
    std::uint64_t seq_ = 0;
    std::uint64_t spawns_ = 0;
    std::string replace_reason_;  // why we ended it, or its own `broken` line
    std::string last_exit_;
    std::string trouble_;
    Backoff backoff_;
    Timer deadline_;
    Timer respawn_;
    Timer rotation_;
};

}  // namespace healthcheckd::master
