// An action's child: runs restart, exec or kill and tells the master how it went. Action.
#pragma once

#include "common/unique_fd.h"
#include "master/action.h"

#include <string>

namespace healthcheckd::master {

// The life of an action child. For a restart, `link_fd` is the number of a socket to the link, else -1.
// Writes `stage`, `output` and one `done` line to kReportFd. Returns the exit status.
int run_action(MainAction action, const ActionRequest& request, int link_fd);

// The life of the child that finishes restarts which were left in the middle (master/action_finish). Writes
// an `output` line for each thing worth telling and one `done` line, ok=1 when nothing is left to finish.
int run_finish(const std::string& state_dir, int link_fd);

}  // namespace healthcheckd::master
