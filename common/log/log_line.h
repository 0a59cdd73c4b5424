// The form of a log line, as text or JSON. Every process that logs.
#pragma once

#include "common/text/time.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace healthcheckd {

enum class LogFormat : std::uint8_t { text, json };

enum class LogLevel : std::uint8_t { debug, info, warning, error };
std::string_view to_string(LogLevel level);

// A value that a program can use without parsing the text; added to JSON lines.
struct LogField {
    std::string_view key;
    std::variant<std::uint64_t, double, std::string_view> value;
};
using LogFields = std::span<const LogField>;

// The value of `who` for a line about a cat: the cat's name and its program's, either of which may have
// blanks, separated by a control character that no configured name contains.
inline constexpr char kWhoSeparator = '\x1f';
inline std::string who_of(std::string_view cat, std::string_view program) {
    return std::string(cat).append(1, kWhoSeparator).append(program);
}

// Returns a line with its newline and the present time. As text: `TIME LEVEL [who] text`, in local time,
// and without the brackets when `who` is empty; a who_of() is shown as "cat1 gateway". As JSON: an object
// with `time` (UTC), `level`, `cat` and `program` for a who_of(), else `who` unless it is empty, `text`,
// and the fields. `who` and `text` are truncated and made printable, so that the result is always one line
// and, as JSON, valid UTF-8.
std::string log_line(LogClock& clock, LogFormat format, LogLevel level, std::string_view who,
                     std::string_view text, LogFields fields = {});

}  // namespace healthcheckd
