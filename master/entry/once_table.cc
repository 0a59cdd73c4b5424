#include "master/entry/once_table.h"

#include "common/text/number.h"
#include "common/text/printable.h"
#include "common/text/table.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace healthcheckd::master {

namespace {

std::vector<Cell> cells_of(const OnceRow& row) {
    std::string verdict = "disabled", value = "-", limit = "-", took = "-", message = "-";
    if (row.report) {
        const Report& report = *row.report;
        verdict = to_string(report.verdict);
        if (!report.unit.empty()) {
            value = fmt::format("{} {}", number_text(report.value), printable(report.unit));
            limit = fmt::format("{} {}", number_text(report.limit), printable(report.unit));
        }
        if (report.took_us > 0)
            took = fmt::format("{:.1f} ms", static_cast<double>(report.took_us) / 1000);
        message = printable(report.message);
    }
    return {{printable(row.cat)},
            {printable(row.program)},
            {row.type},
            {verdict},
            {value},
            {limit},
            {took},
            {message}};
}

std::size_t count(const std::vector<OnceRow>& rows, std::optional<Verdict> verdict) {
    return static_cast<std::size_t>(std::ranges::count_if(rows, [&](const OnceRow& row) {
        return verdict ? row.report && row.report->verdict == *verdict : !row.report;
    }));
}

}  // namespace

std::vector<std::string> once_table(const std::vector<OnceRow>& rows) {
    Table table({{"CAT"},
                 {"PROGRAM"},
                 {"TYPE"},
                 {"VERDICT"},
                 {"VALUE", true},
                 {"LIMIT", true},
                 {"TOOK", true},
                 {"MESSAGE"}});
    for (const OnceRow& row : rows)
        table.add(cells_of(row));
    return table.lines(false);
}

std::string once_summary(const std::vector<OnceRow>& rows) {
    const std::size_t disabled = count(rows, std::nullopt);
    std::string text =
        fmt::format("{} of {} cats succeeded", count(rows, Verdict::success), rows.size() - disabled);
    const char* separator = "; ";
    for (const Verdict verdict : {Verdict::failure, Verdict::idle, Verdict::unknown})
        if (const std::size_t n = count(rows, verdict); n > 0)
            text += fmt::format("{}{} {}", std::exchange(separator, ", "), n, to_string(verdict));
    if (disabled > 0)
        text += fmt::format("; {} disabled", disabled);
    return text;
}

bool all_succeeded(const std::vector<OnceRow>& rows) {
    return std::ranges::all_of(
        rows, [](const OnceRow& row) { return !row.report || row.report->verdict == Verdict::success; });
}

}  // namespace healthcheckd::master
