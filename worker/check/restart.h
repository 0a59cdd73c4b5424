// Check type `restart`: has the program been restarted since the last check? Configuration child, master and
// worker.
//
// The master counts restarts and sends their number with each command, also while the program does not run: a
// crash loop is mostly seen so. Each restart is a failure of its own (weight).
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

    // Failure with the restarts as weight, and in FATAL, where a crash loop ends; otherwise success when the
    // program runs and idle when not.
    ProbeResult probe(const ProbeCommand& command) override;
};

}  // namespace worker
}  // namespace healthcheckd
