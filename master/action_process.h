// An action's child: runs restart, exec or kill and tells the master how it went. Action.
#pragma once

#include "common/unique_fd.h"
#include "master/action.h"

namespace healthcheckd::master {

// The life of an action child. For a restart, `link_fd` is the number of a socket to the link, else -1.
// Writes `stage`, `output` and one `done` line to kReportFd. Returns the exit status.
int run_action(MainAction action, const ActionRequest& request, int link_fd);

}  // namespace healthcheckd::master
