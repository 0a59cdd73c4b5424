// Restarts that an earlier life of healthcheckd, or an action that lost supervisord, left in the middle.
// Action.
#pragma once

#include "master/action.h"
#include "master/link_client.h"

#include <functional>
#include <string>

namespace healthcheckd::master {

// Goes through the records of `state_dir`: a program that is stopped and has not been started by anybody
// since it was stopped for the restart is started; in any other case there is nothing to finish. `say` gets
// one sentence about each. Records of what is done are removed. Returns whether none is left; otherwise it is
// worth coming back later.
bool finish_restarts(const std::string& state_dir, LinkClient& link,
                     const std::function<void(const std::string& sentence)>& say);

}  // namespace healthcheckd::master
