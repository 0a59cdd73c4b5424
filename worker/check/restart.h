// Check type `restart`: whether the program has been restarted since the last probe. Configuration
// child, master and worker.
//
// The master counts restarts and sends their number with each probe command, even while the program is not
// running, which is the usual state in a crash loop. Each restart counts as a failure (weight).
#pragma once

#include "common/config/config.h"
#include "worker/probe/probe.h"

namespace healthcheckd {

struct RestartCheck : SettingsOf<RestartCheck> {
    std::chrono::seconds min_continue_run{28800};
};
extern const CheckType kRestartCheck;

namespace worker {

class RestartProbe final : public Probe {
public:
    explicit RestartProbe(const CatConfig&) {}

    // Failure when there were restarts, with their number as weight, and in state FATAL, in which a crash
    // loop ends; otherwise success when the program runs, and idle when not.
    ProbeResult probe(const ProbeCommand& command) override;
};

}  // namespace worker
}  // namespace healthcheckd
