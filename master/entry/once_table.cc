#include "master/entry/once_table.h"

#include "common/text/number.h"
#include "common/text/printable.h"
#include "common/text/width.h"

#include <algorithm>
#include <array>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace healthcheckd::master {

namespace {

struct Column {
    const char* title;
    bool to_the_right;
};

constexpr Column kColumns[] = {{"CAT", false},  {"PROGRAM", false}, {"TYPE", false}, {"VERDICT", false},
                               {"VALUE", true}, {"LIMIT", true},    {"TOOK", true},  {"MESSAGE", false}};
constexpr std::size_t kCount = std::size(kColumns);
using Cells = std::array<std::string, kCount>;

Cells cells_of(const OnceRow& row) {
    Cells cells{printable(row.cat), printable(row.program), row.type, "disabled", "-", "-", "-", "-"};
    if (!row.report)
        return cells;
    const Report& report = *row.report;
    cells[3] = to_string(report.verdict);
    if (!report.unit.empty()) {
        cells[4] = fmt::format("{} {}", number_text(report.value), printable(report.unit));
        cells[5] = fmt::format("{} {}", number_text(report.limit), printable(report.unit));
    }
    if (report.took_us > 0)
        cells[6] = fmt::format("{:.1f} ms", static_cast<double>(report.took_us) / 1000);
    cells[7] = printable(report.message);
    return cells;
}

std::size_t count(const std::vector<OnceRow>& rows, std::optional<Verdict> verdict) {
    return static_cast<std::size_t>(std::ranges::count_if(rows, [&](const OnceRow& row) {
        return verdict ? row.report && row.report->verdict == *verdict : !row.report;
    }));
}

}  // namespace

std::vector<std::string> once_table(const std::vector<OnceRow>& rows) {
    std::vector<Cells> lines(1);
    for (std::size_t i = 0; i < kCount; ++i)
        lines[0][i] = kColumns[i].title;
    for (const OnceRow& row : rows)
        lines.push_back(cells_of(row));
    std::array<std::size_t, kCount> widths{};
    for (const Cells& cells : lines)
        for (std::size_t i = 0; i < kCount; ++i)
            widths[i] = std::max(widths[i], text_width(cells[i]));
    std::vector<std::string> texts;
    for (const Cells& cells : lines) {
        std::string text;
        for (std::size_t i = 0; i + 1 < kCount; ++i)
            text += padded(cells[i], widths[i], kColumns[i].to_the_right) + "  ";
        texts.push_back(text + cells.back());
    }
    return texts;
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
