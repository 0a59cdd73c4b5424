// The context of an action in its child, and what the action leaves there. Action.
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

// Reports the current stage of the action and its timeout; the master ends a child that exceeds it.
using StageReport = std::function<void(std::chrono::milliseconds limit, std::string_view what)>;

struct ActionRun {
    const ActionRequest& request;
    LinkClient* link;  // to supervisord; nullptr: none
    const DiskWork& disk;
    StageReport stage;

    // The guard of a command that it runs, until its leftovers are gone, and how long the command may take.
    std::optional<CommandGuard> guard = {};
    std::chrono::milliseconds command_limit{0};
    // Why there is no record of it in stateDir; nullopt: there is one, as far as is known. A write that
    // hangs may still succeed later.
    std::optional<Error> unwritten = {};
    // A record that is no longer needed may be left; the master's next child examines it.
    bool remains = false;
};

// Returns " (pid 12)" for the measured process, "" when there was none.
std::string measured_pid(const ActionRequest& request);

}  // namespace healthcheckd::master
