// How one line of a log looks, as text or as JSON. Every process that logs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace healthcheckd {

enum class LogFormat : std::uint8_t;  // common/config

enum class LogLevel : std::uint8_t { debug, info, warning, error };
std::string_view to_string(LogLevel level);

// What a program wants to find without taking a sentence apart: JSON lines have it beside their text.
struct LogField {
    std::string_view key;
    std::variant<std::uint64_t, double, std::string_view> value;
};
using LogFields = std::span<const LogField>;

// One line with its newline, about what happens now. As text: `TIME LEVEL [who] text`, in local time and
// without the brackets when `who` is empty. As JSON: an object of `time` (UTC), `level`, `cat` and `program`
// when `who` is a cat's ("cat1 gateway": the name of a cat has no blank), else `who` unless it is empty,
// `text`, and the fields. Both texts are cut and made printable, so that whatever was observed is one line
// and, as JSON, UTF-8.
std::string log_line(LogFormat format, LogLevel level, std::string_view who, std::string_view text,
                     LogFields fields = {});

}  // namespace healthcheckd
