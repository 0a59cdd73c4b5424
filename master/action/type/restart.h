// Restarting a program through supervisord, with the timing as a parameter for tests. Action.
#pragma once

#include "master/action/type/actions.h"
#include "master/supervisord/link_client.h"

namespace healthcheckd::master {

// All timeouts and intervals of a restart. The timeout of a call is longer than the link's own (5 s), since
// calls of others may be ahead of it.
struct RestartTiming {
    std::chrono::milliseconds call{12'000};
    // How long to retry before giving up a stopped program while supervisord is away or the program is slow
    // to die: beyond stopwaitsecs for the stop, and for the order to start.
    std::chrono::milliseconds persistence{60'000};
    std::chrono::milliseconds start_grace{5'000};  // beyond startsecs
    std::chrono::milliseconds first_pause{50};     // between polls, growing
    std::chrono::milliseconds longest_pause{250};
    std::chrono::milliseconds retry_pause{1'000};  // at most, while supervisord does not answer
};

// run_restart() in actions.h calls this with the default timing.
ActionResult restart_program(const ActionRequest& request, LinkClient& link, const StageReport& stage,
                             const RestartTiming& timing, const BeforeStop& before_stop = {});

}  // namespace healthcheckd::master
