// The interface between a worker and its probe. Worker.
#pragma once

#include "common/config/config.h"
#include "common/system/unique_fd.h"
#include "common/wire/protocol_worker.h"

#include <memory>
#include <string>

namespace healthcheckd::worker {

// The result of a probe. The worker adds the sequence number and the duration.
struct ProbeResult {
    Verdict verdict = Verdict::unknown;
    double value = 0;
    double limit = 0;
    std::string_view unit;  // static text
    std::uint32_t weight = 1;
    std::string message;  // one sentence with value, limit and unit, for people
};

// A verdict with its reason, one sentence.
struct Finding {
    Verdict verdict = Verdict::unknown;
    std::string message;
};

class Probe {
public:
    virtual ~Probe() = default;

    // Called once, before confinement and with the cat's secrets readable: loads what cannot be loaded later.
    virtual Result<void> prepare() { return {}; }

    // Sets the process to measure from now on, and the descriptor that measures it; no process: it ended.
    virtual void track(ProcessId process, UniqueFd descriptor) {
        (void)process;
        (void)descriptor;
    }

    // Probes now, within the cat's timeout. The program is running (command.process) unless it is `system`.
    virtual ProbeResult probe(const ProbeCommand& command) = 0;
};

// For CheckType::make_probe.
template <class P> std::unique_ptr<Probe> make_probe(const CatConfig& cat) {
    return std::make_unique<P>(cat);
}

}  // namespace healthcheckd::worker
