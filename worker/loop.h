// The confined phase of a worker: answers the master's commands until the master is gone. Worker.
#pragma once

#include "common/proc/pid_finder.h"
#include "common/wire/channel.h"
#include "common/wire/protocol_worker.h"
#include "worker/log.h"
#include "worker/probe/probe.h"
#include "worker/reporter.h"

#include <memory>

namespace healthcheckd::worker {

class WorkerLoop {
public:
    // `finder`: nullptr when the master names the process.
    WorkerLoop(const CatConfig& cat, Probe& probe, PidFinder* finder, Reporter& reporter, WorkerLog& log);

    // Returns when the master has closed its end. Throws std::runtime_error when the worker cannot continue.
    void run();

private:
    // Receives the next packet, with the timeout `limit` (negative: none). Returns false at the timeout or at
    // the end of the control channel. Handles a `log` message itself, since it may come at any time.
    bool next(Command& command, UniqueFd& attached, std::chrono::milliseconds limit);
    void answer(const ProbeCommand& command);
    ProbeResult check(ProbeCommand& command);
    ProbeResult check_found(ProbeCommand& command);
    // Requests the descriptor that measures `process` from the master. Returns false when it does not come in
    // time.
    bool fetch(ProcessId process);
    // Measures by `attached` from now on. Returns false when the process runs and there is no descriptor.
    bool adopt(const Track& track, UniqueFd attached);
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
