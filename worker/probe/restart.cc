#include "worker/probe/restart.h"

#include <spdlog/fmt/fmt.h>

namespace healthcheckd::worker {

ProbeResult RestartProbe::probe(const ProbeCommand& command) {
    ProbeResult result;
    result.value = command.restarts;
    result.limit = 1;
    result.unit = "restarts";
    if (command.restarts > 0) {
        result.verdict = Verdict::failure;
        result.weight = command.restarts;
        result.message = fmt::format("{} restart{} since the last check", command.restarts,
                                     command.restarts == 1 ? "" : "s");
    } else if (command.state.starts_with(program_state_name(kFatal))) {
        result.verdict = Verdict::failure;
        result.message = fmt::format("supervisord gave up starting it ({})", command.state);
    } else if (!command.process.running()) {
        result.verdict = Verdict::idle;
        result.message = fmt::format("not running ({})", command.state);
    } else {
        result.verdict = Verdict::success;
        result.message = "no restart since the last check";
    }
    return result;
}

}  // namespace healthcheckd::worker
