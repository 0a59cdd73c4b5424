// Making text from outside safe for a terminal or a log. Every process.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace healthcheckd {

// Returns the length of the UTF-8 sequence at the beginning of `text`, which must not be empty; 0 when
// it is invalid (RFC 3629).
std::size_t utf8_length(std::string_view text);

// Returns the text with control bytes and bytes that are not UTF-8 as \xNN, truncated to `max` bytes with
// "...".
std::string printable(std::string_view text, std::size_t max = 1000);

}  // namespace healthcheckd
