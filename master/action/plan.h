// What an action would do, in words: for dry runs and for people who ask before it happens. Master and
// action.
#pragma once

#include "master/action/action.h"

#include <string>

namespace healthcheckd::master {

// "restart web (pid 12) through supervisord", without a period; "" for MainAction::none. It tells what would
// be tried: what stands in its way is found out by the action itself.
std::string plan_of(MainAction action, const ActionRequest& request);

// The result of an action of a cat with `dryRun`.
ActionResult rehearse(MainAction action, const ActionRequest& request);

}  // namespace healthcheckd::master
