#include "master/cat/verdict_log.h"

#include "common/log/log.h"

#include <optional>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

namespace {

// Logs the counts and, with `before`, a change of state; in JSON both are fields.
void log_counts(log::Level level, const std::string& who, const Threshold& threshold,
                std::optional<CatState> before, std::string_view text, std::string_view reason,
                std::uint32_t failures) {
    std::vector<LogField> fields;
    const auto add_word = [&fields](std::string_view key, std::string_view word) {
        fields.push_back({key, word});
    };
    const auto add_count = [&fields](std::string_view key, std::uint32_t count) {
        fields.push_back({key, std::uint64_t{count}});
    };
    if (before) {
        add_word("from", to_string(*before));
        add_word("to", to_string(threshold.state()));
    }
    add_count("failures", failures);
    add_count("failureThreshold", threshold.limits().failure);
    add_count("successes", threshold.successes());
    add_count("successThreshold", threshold.limits().success);
    add_word("reason", reason);
    log::write(level, who, text, fields);
}

}  // namespace

void log_change(const std::string& who, const Threshold& threshold, CatState before,
                std::string_view reason) {
    const auto& limits = threshold.limits();
    log_counts(log::Level::info, who, threshold, before,
               fmt::format("{} -> {} (failures {}/{}, successes {}/{}): {}", to_string(before),
                           to_string(threshold.state()), threshold.failures(), limits.failure,
                           threshold.successes(), limits.success, reason),
               reason, threshold.failures());
}

void VerdictLog::verdict(const std::string& who, const Threshold& threshold, CatState before, Event event,
                         const Report& report) {
    const CatState after = threshold.state();
    const auto& limits = threshold.limits();
    const std::string& why = report.message;
    if (report.verdict == Verdict::unknown) {
        if (event == Event::unmeasurable)
            log_counts(log::Level::error, who, threshold, before,
                       fmt::format("{} -> {}: could not be checked {} times in a row: {}", to_string(before),
                                   to_string(after), limits.failure, why),
                       why, threshold.failures());
        else if (why != last_unknown_)
            log::warning(who, "could not be checked: {}", why);
        last_unknown_ = why;
        return;
    }
    last_unknown_.clear();
    if (event == Event::fired) {
        // The count itself has been reset to 0.
        log_counts(log::Level::warning, who, threshold, before,
                   fmt::format("{} -> {}: failure {} of {}: {}", to_string(before), to_string(after),
                               limits.failure, limits.failure, why),
                   why, limits.failure);
    } else if (before != after) {
        log_change(who, threshold, before, why);
    } else if (report.verdict == Verdict::failure && !threshold.failed()) {
        log_counts(log::Level::info, who, threshold, std::nullopt,
                   fmt::format("failure {} of {}: {}", threshold.failures(), limits.failure, why), why,
                   threshold.failures());
    } else {
        log::debug(who, "{}: {}", to_string(report.verdict), why);
    }
}

}  // namespace healthcheckd::master
