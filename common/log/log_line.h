// How one line of a log looks, as text or as JSON. Every process that logs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace healthcheckd {

enum class LogFormat : std::uint8_t { text, json };

enum class LogLevel : std::uint8_t { debug, info, warning, error };
std::string_view to_string(LogLevel level);

// What a program wants to find without taking a sentence apart: JSON lines have it beside their text.
struct LogField {
    std::string_view key;
    std::variant<std::uint64_t, double, std::string_view> value;
};
using LogFields = std::span<const LogField>;

// Whom a line is about when that is a cat: its name and its program's, either of which may hold blanks, with
// a control character between them that no configured name holds.
inline constexpr char kWhoSeparator = '\x1f';
inline std::string who_of(std::string_view cat, std::string_view program) {
    return std::string(cat).append(1, kWhoSeparator).append(program);
}

// One line with its newline, about what happens now. As text: `TIME LEVEL [who] text`, in local time and
// without the brackets when `who` is empty; a cat's who_of() is shown as "cat1 gateway". As JSON: an object
// of `time` (UTC), `level`, `cat` and `program` when `who` is a cat's, else `who` unless it is empty, `text`,
// and the fields. Both texts are cut and made printable, so that whatever was observed is one line and, as
// JSON, UTF-8.
std::string log_line(LogFormat format, LogLevel level, std::string_view who, std::string_view text,
                     LogFields fields = {});

}  // namespace healthcheckd
