// Text from outside, made fit for a terminal or a log. Every process.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace healthcheckd {

// The length of the UTF-8 sequence that starts `text`, which is not empty; 0 when it starts with none (RFC
// 3629).
std::size_t utf8_length(std::string_view text);

// Text from outside made fit for a terminal or a log: control bytes and bytes that are not UTF-8 as \xNN, cut
// at `max` bytes with "...".
std::string printable(std::string_view text, std::size_t max = 1000);

}  // namespace healthcheckd
