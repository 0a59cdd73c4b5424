// The one table of check types: how each probes and what each may do. Master (look-up) and worker.
#pragma once

#include "common/config.h"
#include "common/sandbox.h"
#include "common/verdict.h"
#include "worker/probe.h"

#include <memory>
#include <string>
#include <string_view>

namespace healthcheckd::worker {

struct WorkerType {
    CheckType type;
    std::unique_ptr<Probe> (*make)(const CatConfig& cat);
    SandboxProfile (*profile)(const CatConfig& cat);
};

// The row of `type`. Every CheckType has one.
const WorkerType& worker_type(CheckType type);

// The file of /proc that measures `process` for this cat ("/proc/2630/statm"), "" when none is needed. The
// master opens it and passes the descriptor: it answers ESRCH once the process is gone, whoever has the
// number then.
std::string descriptor_path(const CatConfig& cat, pid_t pid);

struct WorkerStart {
    const Config& config;
    const CatConfig& cat;
    std::string name;     // of the cat, or of one member of a group ("cat1/web_00")
    std::string program;  // supervisord's full name
    pid_t master;
    const SeccompProgram* filter = nullptr;  // see SandboxProfile
};

// The life of a worker, with kControlFd and kReportFd open: opens its log, prepares, confines itself, says
// `ready`, answers probes until the master closes its end. Returns the exit status.
int run_worker(const WorkerStart& start) noexcept;

}  // namespace healthcheckd::worker
