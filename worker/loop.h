// The confined part of a worker's life: answers the master's commands until the master is gone. Worker.
#pragma once

#include "common/proc/pid_finder.h"
#include "common/wire/channel.h"
#include "common/wire/protocol.h"
#include "worker/log.h"
#include "worker/probe/probe.h"
#include "worker/reporter.h"

#include <memory>

namespace healthcheckd::worker {

class WorkerLoop {
public:
    // `finder` is null where the master says which process is meant.
    WorkerLoop(const CatConfig& cat, Probe& probe, PidFinder* finder, Reporter& reporter, WorkerLog& log);

    // Returns when the master has closed its end. Throws std::runtime_error when the worker cannot go on.
    void run();

private:
    // Takes the next packet within `limit` (negative: none); false at the end of the control channel or of
    // the time. A `log` is dealt with here, since it may come at any time.
    bool next(Command& command, UniqueFd& attached, std::chrono::milliseconds limit);
    void answer(const ProbeCommand& command);
    ProbeResult check(ProbeCommand& command);
    ProbeResult check_found(ProbeCommand& command);
    // Asks the master for the descriptor that measures `process`. False when it does not come in time.
    bool fetch(ProcessId process);
    void note(const Report& report);
    void tell_log_failure();

    const CatConfig& cat_;
    Probe& probe_;
    PidFinder* finder_;
    Reporter& reporter_;
    WorkerLog& log_;
    ProcessId tracked_;
    bool master_gone_ = false;
};

}  // namespace healthcheckd::worker
