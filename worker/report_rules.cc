#include "worker/report_rules.h"

#include <algorithm>
#include <cmath>

namespace healthcheckd::worker {

namespace {

struct Scale {
    std::string_view unit;
    double limit;
};

Scale scale_of(const CatConfig& cat) {
    switch (cat.type) {
    case CheckType::mem:
        return {"MB", cat.max_mem_mb};
    case CheckType::cpu:
        return {"%", cat.max_cpu_percent};
    case CheckType::http:
    case CheckType::tcp:
        return {"ms", static_cast<double>(cat.timeout.count())};
    case CheckType::restart:
        return {"restarts", 1};
    }
    __builtin_unreachable();
}

// Numbers travel with 9 digits (common/wire/line_codec).
bool near(double a, double b) {
    return std::abs(a - b) <= 1e-8 * std::max(std::abs(a), std::abs(b));
}

}  // namespace

std::string_view objection_to(const Report& report, const CatConfig& cat, const ProbeCommand& asked) {
    const Scale scale = scale_of(cat);
    const bool judged = report.verdict == Verdict::success || report.verdict == Verdict::failure;
    const bool network = cat.uses_network();
    const bool measured = !report.unit.empty();
    if (!std::isfinite(report.value) || report.value < 0)
        return "it reported a value that cannot be";
    if (measured ? report.unit != scale.unit || !near(report.limit, scale.limit)
                 : report.limit != 0 || report.value != 0)
        return "it reported another unit or limit than its check has";
    if (judged && !measured)
        return "it judged without a value";
    const bool by_value = judged && !network && cat.type != CheckType::restart;
    if (by_value && !near(report.value, report.limit) &&
        (report.value >= report.limit) != (report.verdict == Verdict::failure))
        return "its verdict does not follow from its value";
    if (judged && cat.type == CheckType::restart) {
        const bool failed = asked.restarts > 0 || asked.state.starts_with(program_state_name(kFatal));
        if (failed != (report.verdict == Verdict::failure) || (!failed && !asked.process.running()))
            return "its verdict does not follow from what it was told";
    }
    const bool restarted = cat.type == CheckType::restart && report.verdict == Verdict::failure;
    if (restarted && report.value != asked.restarts)
        return "it reported other restarts than there were";
    if (report.weight != (restarted ? std::max(1U, asked.restarts) : 1U))
        return "its verdict weighs more than it may";
    return {};
}

}  // namespace healthcheckd::worker
