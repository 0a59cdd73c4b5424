// An action's child: runs restart, exec or kill and tells the master how it went. Action.
#pragma once

#include "common/system/unique_fd.h"
#include "master/notice/incident.h"

#include <set>
#include <string>
#include <string_view>

namespace healthcheckd::master {

// What the message of a restart's stage begins with from the moment on in which the program may be stopped.
inline constexpr std::string_view kStopOrdered = "its stop is ordered: ";

// The master's word for the child that finishes restarts.
inline constexpr char kGranted = 'y';
inline constexpr char kDenied = 'n';

// The life of an action child: carries out incident.action, then spools the notices. `link_fd` is the number
// of a socket to the link, or -1; a restart needs one. `places_fd`: see DiskWork. Writes `stage`, `output`,
// one `done` line and, for each channel whose notice is in the spool or cannot be, one `spooled` line to
// kReportFd: what there is no such line for, as the disk hangs, is left to the master. Returns the exit
// status.
int run_action(Incident incident, int link_fd, int places_fd);

// The life of the child that finishes restarts which were left in the middle (master/action/finish). Writes
// an `output` line for each thing worth telling and one `done` line, ok=1 when nothing is left to finish.
// `busy`: programs to be left alone. Before it does anything to another one it names that in a `stage` line
// and waits for a byte on kControlFd, kGranted or kDenied; it is done with it when the next `stage` line
// comes, which may be an empty one. `places_fd`: see DiskWork.
int run_finish(const std::string& state_dir, const std::set<std::string>& busy, int link_fd, int places_fd);

}  // namespace healthcheckd::master
