// The child of an action: runs restart, exec or kill and reports the result to the master. Action.
#pragma once

#include "common/system/unique_fd.h"
#include "master/notice/incident.h"

#include <set>
#include <string>
#include <string_view>

namespace healthcheckd::master {

// The first `stage` message of every action, before its own.
inline constexpr std::string_view kFirstStage = "begins";
// The prefix of the `stage` message of a restart from the moment on when the program may be stopped.
inline constexpr std::string_view kStopOrdered = "its stop is ordered: ";

// The main function of an action child: runs incident.action, then spools the notices. `link_fd`: a socket to
// the link, or -1; a restart needs one. `places_fd`: see DiskWork. Writes to kReportFd `stage`, `output`, one
// `done` line and, for each channel whose notice is in the spool or cannot be, one `spooled` line. The master
// spools the notices without a `spooled` line, as after the disk hung. Returns the exit status.
int run_action(Incident incident, int link_fd, int places_fd);

// The main function of the child that finishes interrupted restarts (master/action/finish). Writes an
// `output` line for each event worth reporting and one `done` line, with ok=1 when nothing is left to finish.
// `busy`: programs that it must leave alone. Before it touches any other program it sends the name in a
// `stage` line and waits for `granted` or `denied` on kControlFd; the next `stage` line, which may be
// empty, means that it is done with the program. `places_fd`: see DiskWork.
int run_finish(const std::string& state_dir, const std::set<std::string>& busy, int link_fd, int places_fd);

// The main function of the child that removes the cgroups left by killed actions of an earlier run.
int run_old_commands();

}  // namespace healthcheckd::master
