// A worker, from fork to exit. Worker.
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

struct WorkerStart {
    const Config& config;
    const CatConfig& cat;
    std::string name;     // of the cat, or of the cat's instance for a member of a group ("cat1/web_00")
    std::string program;  // supervisord's full name
    pid_t master;
    const SeccompProgram* filter = nullptr;  // see SandboxProfile
    bool logs = true;                        // writes a log, if the configuration has a folder for it
    int look_mark = -1;                      // see worker/look_mark.h
    LeftOut left_out = {};                   // processes that are not examined: an earlier worker hung there
    ChildUser user = {};
};

// The main function of a worker, with kControlFd and kReportFd open: opens its log, prepares the probe,
// confines itself, sends `ready`, and answers probes until the master closes its end. Returns the exit
// status.
int run_worker(const WorkerStart& start) noexcept;

}  // namespace healthcheckd::worker
