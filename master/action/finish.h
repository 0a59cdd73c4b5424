// Finishes restarts that a previous run of healthcheckd, or an action that lost supervisord,
// left interrupted. Action.
#pragma once

#include "master/files/disk_work.h"
#include "master/notice/incident.h"
#include "master/supervisord/link_client.h"

#include <functional>
#include <set>
#include <string>

namespace healthcheckd::master {

struct FinishReport {
    std::function<void(const std::string& sentence)> say;  // a sentence about each program
    // Called before a program is touched. Returns false when it must be left alone.
    std::function<bool(const std::string& program)> claim;
    // Called when the program will not be touched any more.
    std::function<void(const std::string& program)> release;
};

// Goes through the records in `state_dir` and starts each program that is stopped and that nobody has started
// since it was stopped for the restart; any other record is done. If supervisord itself was started since and
// has the program stopped, this holds for an hour only: later, and after a reboot of the machine, the state
// is what supervisord and its users want. Removes the records that are done. Leaves the programs of `busy`,
// on which an action is working, and their records alone. A disk that hangs delays the removal of a record by
// a second at most. Returns whether no record is left; if not, call again later.
bool finish_restarts(const std::string& state_dir, const std::set<std::string>& busy, LinkClient& link,
                     const DiskWork& disk, const FinishReport& report);

}  // namespace healthcheckd::master
