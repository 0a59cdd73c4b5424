// Check type `restart`: has the program been restarted since the last check? Worker.
//
// The master counts restarts and sends their number with each command, also while the program does not run: a
// crash loop is mostly seen so. Each restart is a failure of its own (weight).
#pragma once

#include "common/config/config.h"
#include "worker/probe/probe.h"

namespace healthcheckd::worker {

class RestartProbe final : public Probe {
public:
    // Failure with the restarts as weight, and in FATAL, where a crash loop ends; otherwise success when the
    // program runs and idle when not.
    ProbeResult probe(const ProbeCommand& command) override;
};

}  // namespace healthcheckd::worker
