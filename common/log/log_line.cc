#include "common/log/log_line.h"

#include "common/text/concat.h"
#include "common/text/json.h"
#include "common/text/printable.h"

namespace healthcheckd {

namespace {

constexpr std::size_t kMaxText = 8000;  // maximum of one line's text in bytes

// The result of printable() needs no escapes except those of JSON itself.
std::string json_line(LogLevel level, std::string_view who, std::string_view text, LogFields fields) {
    nlohmann::ordered_json line;
    line["time"] = utc_timestamp(std::chrono::system_clock::now());
    line["level"] = to_string(level);
    const auto between = who.find(kWhoSeparator);
    if (between != std::string_view::npos) {
        line["cat"] = printable(who.substr(0, between));
        line["program"] = printable(who.substr(between + 1));
    } else if (!who.empty()) {
        line["who"] = printable(who);
    }
    line["text"] = printable(text, kMaxText);
    for (const LogField& field : fields) {
        nlohmann::ordered_json& value = line[std::string(field.key)];
        if (const auto* word = std::get_if<std::string_view>(&field.value))
            value = printable(*word, kMaxText);
        else if (const auto* number = std::get_if<std::uint64_t>(&field.value))
            value = *number;
        else
            value = std::get<double>(field.value);
    }
    return json_text(line) + '\n';
}

}  // namespace

std::string_view to_string(LogLevel level) {
    switch (level) {
    case LogLevel::debug:
        return "debug";
    case LogLevel::info:
        return "info";
    case LogLevel::warning:
        return "warning";
    case LogLevel::error:
        return "error";
    }
    __builtin_unreachable();
}

std::string log_line(LogClock& clock, LogFormat format, LogLevel level, std::string_view who,
                     std::string_view text, LogFields fields) {
    if (format == LogFormat::json)
        return json_line(level, who, text, fields);
    const std::string_view time = clock.text(std::chrono::system_clock::now());
    if (who.empty())
        return concat(time, " ", to_string(level), " ", printable(text, kMaxText), "\n");
    std::string shown(who);
    if (const auto between = shown.find(kWhoSeparator); between != std::string::npos)
        shown[between] = ' ';
    return concat(time, " ", to_string(level), " [", printable(shown), "] ", printable(text, kMaxText), "\n");
}

}  // namespace healthcheckd
