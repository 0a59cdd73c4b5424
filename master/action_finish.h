// Restarts that an earlier life of healthcheckd, or an action that lost supervisord, left in the middle.
// Action.
#pragma once

#include "master/action.h"
#include "master/disk_work.h"
#include "master/link_client.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace healthcheckd::master {

struct FinishReport {
    std::function<void(const std::string& sentence)> say;  // about each program
    // Before anything is done: these are being worked at. False: they must be left alone.
    std::function<bool(const std::vector<std::string>& programs)> claim;
    // After each of them: nothing more is done to it.
    std::function<void(const std::string& program)> release;
};

// Goes through the records of `state_dir`: a program that is stopped and has not been started by anybody
// since it was stopped for the restart, also by a supervisord that was started since, is started; in any
// other case there is nothing to finish. Records of what is done are removed. Programs of `busy`, which an
// action works at, are left alone, and their records as well. A disk that hangs holds up the removal of a
// record for a second at most. Returns whether no record is left, but for those that the disk refuses to
// remove; otherwise it is worth coming back later.
bool finish_restarts(const std::string& state_dir, const std::set<std::string>& busy, LinkClient& link,
                     const DiskWork& disk, const FinishReport& report);

}  // namespace healthcheckd::master
