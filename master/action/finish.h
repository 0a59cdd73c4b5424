// Restarts that an earlier life of healthcheckd, or an action that lost supervisord, left in the middle.
// Action.
#pragma once

#include "master/files/disk_work.h"
#include "master/notice/incident.h"
#include "master/supervisord/link_client.h"

#include <functional>
#include <set>
#include <string>

namespace healthcheckd::master {

struct FinishReport {
    std::function<void(const std::string& sentence)> say;  // about each program
    // Before anything is done to a program: it is being worked at. False: it must be left alone.
    std::function<bool(const std::string& program)> claim;
    // After that: nothing more is done to it.
    std::function<void(const std::string& program)> release;
};

// Goes through the records of `state_dir`: a program that is stopped and has not been started by anybody
// since it was stopped for the restart is started; in any other case there is nothing to finish. Where a
// supervisord that was started since has it stopped, that is so for an hour: later, and after the machine's
// boot, it is as supervisord and whoever works with it want it. Records of what is done are removed. Programs
// of `busy`, which an action works at, are left alone, and their records as well. A disk that hangs holds up
// the removal of a record for a second at most. Returns whether no record is left; otherwise it is worth
// coming back later.
bool finish_restarts(const std::string& state_dir, const std::set<std::string>& busy, LinkClient& link,
                     const DiskWork& disk, const FinishReport& report);

}  // namespace healthcheckd::master
