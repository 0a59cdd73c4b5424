// An action's child: runs restart, exec or kill and tells the master how it went. Action.
#pragma once

#include "common/unique_fd.h"
#include "master/action.h"

#include <string>

namespace healthcheckd::master {

// The life of an action child: carries out incident.action, then spools the notices. `link_fd` is the number
// of a socket to the link, or -1; a restart needs one. Writes `stage`, `output`, one `done` line and, when
// somebody is to be told, one `spooled` line to kReportFd. Returns the exit status.
int run_action(Incident incident, int link_fd);

// The life of the child that finishes restarts which were left in the middle (master/action_finish). Writes
// an `output` line for each thing worth telling and one `done` line, ok=1 when nothing is left to finish.
int run_finish(const std::string& state_dir, int link_fd);

}  // namespace healthcheckd::master
