// What an action has to work with in its child, and what becomes of it there. Action.
#pragma once

#include "master/action/guard.h"
#include "master/files/disk_work.h"
#include "master/notice/incident.h"
#include "master/supervisord/link_client.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace healthcheckd::master {

// Says what the action does now and how long that may take; the master ends a child that overruns.
using StageReport = std::function<void(std::chrono::milliseconds limit, std::string_view what)>;

struct ActionRun {
    const ActionRequest& request;
    LinkClient* link;  // to supervisord; nullptr: there is none
    const DiskWork& disk;
    StageReport stage;

    // Of a command that it runs, to the end of what that leaves behind, and how long that may go on.
    std::optional<CommandGuard> guard = {};
    std::chrono::milliseconds command_limit{0};
    // Why stateDir has no word of it; nullopt: it has, as far as is known. What hangs may come to be written.
    std::optional<Error> unwritten = {};
    // There may be a record of it that is of no more use, to be looked at by the master's next child.
    bool remains = false;
};

// " (pid 12)" of the process that was measured, "" where none was.
std::string measured_pid(const ActionRequest& request);

}  // namespace healthcheckd::master
