// Restart by way of supervisord, with its times open to tests. Action.
#pragma once

#include "master/action/type/actions.h"
#include "master/supervisord/link_client.h"

namespace healthcheckd::master {

// Every wait of a restart. A call waits longer than the link does (5 s), because calls of others may be
// before it.
struct RestartTiming {
    std::chrono::milliseconds call{12'000};
    // A program that was stopped is not given up while supervisord is away or the program is slow to die:
    // beyond stopwaitsecs for the stop, and for the order to start.
    std::chrono::milliseconds persistence{60'000};
    std::chrono::milliseconds start_grace{5'000};  // beyond startsecs
    std::chrono::milliseconds first_pause{50};     // between looks, growing
    std::chrono::milliseconds longest_pause{250};
    std::chrono::milliseconds retry_pause{1'000};  // at most, while supervisord does not answer
};

// run_restart() of action.h is this with the times above.
ActionResult restart_program(const ActionRequest& request, LinkClient& link, const StageReport& stage,
                             const RestartTiming& timing, const BeforeStop& before_stop = {});

}  // namespace healthcheckd::master
