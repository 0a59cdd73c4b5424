#include "worker/check/restart.h"

#include "common/config/accessors.h"
#include "common/config/draft.h"
#include "common/wire/protocol_supervisord.h"
#include "worker/check/process.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd {

namespace {

constexpr std::int64_t kMostSuccesses = 1'000'000;

constexpr Key kRestartKeys[] = {
    {.name = "mincontinueRun",
     .set = set_whole<&RestartCheck::min_continue_run, 1, 365 * 86400>,
     .get = get_seconds<&RestartCheck::min_continue_run>},
};

void finish_restart(const SectionDraft& draft, CatConfig& cat, Diagnostics&) {
    if (draft.has("successThreshold"))
        return;
    const std::int64_t run = std::chrono::milliseconds(cat.own<RestartCheck>().min_continue_run).count();
    const std::int64_t period = cat.period.count();
    cat.success_threshold =
        static_cast<std::uint32_t>(std::clamp<std::int64_t>((run + period - 1) / period, 1, kMostSuccesses));
}

std::vector<JudgedBy> restart_judged_by(const CatConfig& cat) {
    return {{"mincontinueRun", seconds_text(cat.own<RestartCheck>().min_continue_run)}};
}

Scale restart_scale(const CatConfig&) {
    return {"restarts", 1};
}

std::string_view objection_to_restarts(const Report& report, const ProbeCommand& asked) {
    const bool failure = report.verdict == Verdict::failure;
    if (is_judgement(report.verdict)) {
        const bool failed = asked.restarts > 0 || asked.state.starts_with(program_state_name(kFatal));
        if (failed != failure || (!failed && !asked.process.running()))
            return "its verdict does not follow from what it was told";
    }
    if (failure && report.value != asked.restarts)
        return "it reported other restarts than there were";
    return {};
}

SandboxProfile restart_profile(const CatConfig& cat) {
    SandboxProfile profile;
    profile.name = cat.type->name;
    profile.address_space = kSmallAddressSpace;
    return profile;
}

}  // namespace

extern const CheckType kRestartCheck{
    .name = "restart",
    .has_process = true,
    .counts_restarts = true,
    .make_settings = make_settings<RestartCheck>,
    .keys = kRestartKeys,
    .finish = finish_restart,
    .judged_by = restart_judged_by,
    .scale = restart_scale,
    .objection = objection_to_restarts,
    .make_probe = worker::make_probe<worker::RestartProbe>,
    .profile = restart_profile,
};

namespace worker {

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

}  // namespace worker
}  // namespace healthcheckd
