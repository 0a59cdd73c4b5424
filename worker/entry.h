// The one table of check types: how each probes and what each may do. Master (look-up) and worker.
#pragma once

#include "common/config/config.h"
#include "common/proc/pid_finder.h"
#include "common/sandbox/sandbox.h"
#include "common/wire/verdict.h"
#include "worker/probe/probe.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::worker {

struct WorkerType {
    CheckType type;
    std::unique_ptr<Probe> (*make)(const CatConfig& cat);
    SandboxProfile (*profile)(const CatConfig& cat);
};

// The row of `type`. Every CheckType has one.
const WorkerType& worker_type(CheckType type);

// The file below /proc/PID that measures a process for this cat ("statm"), "" when none is needed. The
// process reader opens it and the master passes the descriptor: it answers ESRCH once the process is gone,
// whoever has the number then.
std::string measure_file(const CatConfig& cat);

struct WorkerStart {
    const Config& config;
    const CatConfig& cat;
    std::string name;     // of the cat, or of one member of a group ("cat1/web_00")
    std::string program;  // supervisord's full name
    pid_t master;
    const SeccompProgram* filter = nullptr;  // see SandboxProfile
    bool logs = true;                        // writes a log, if the configuration has a folder for it
    int look_mark = -1;                      // see worker/look_mark.h
    LeftOut left_out = {};                   // processes that are not looked at: a look hung there
    ChildUser user = {};
};

// The life of a worker, with kControlFd and kReportFd open: opens its log, prepares, confines itself, says
// `ready`, answers probes until the master closes its end. Returns the exit status.
int run_worker(const WorkerStart& start) noexcept;

}  // namespace healthcheckd::worker
