#include "worker/report_rules.h"

#include <algorithm>
#include <cmath>

namespace healthcheckd::worker {

std::string_view objection_to(const Report& report, const CatConfig& cat, const ProbeCommand& asked) {
    const Scale scale = cat.type->scale(cat);
    const bool measured = !report.unit.empty();
    if (!std::isfinite(report.value) || report.value < 0)
        return "it reported a value that cannot be";
    if (measured ? report.unit != scale.unit || !same_number(report.limit, scale.limit)
                 : report.limit != 0 || report.value != 0)
        return "it reported another unit or limit than its check has";
    if (is_judgement(report.verdict) && !measured)
        return "it judged without a value";
    if (cat.type->objection != nullptr)
        if (const std::string_view objection = cat.type->objection(report, asked); !objection.empty())
            return objection;
    const bool restarted = cat.type->counts_restarts && report.verdict == Verdict::failure;
    if (report.weight != (restarted ? std::max(1U, asked.restarts) : 1U))
        return "its verdict weighs more than it may";
    return {};
}

}  // namespace healthcheckd::worker
