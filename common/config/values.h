// Strict parsers of single values, from the text in the file, and their printers. Configuration child, and
// master (decoding a transfer).
//
// Every parser rejects what a reader could misread: 010 (octal in YAML 1.1), 0x10, 1e3, +5, .nan, "5 x".
// Errors are one sentence without the name of the key; the caller adds key and place.
#pragma once

#include "common/config/config.h"
#include "common/system/result.h"
#include "common/text/suggest.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd {

// Returns `text` in single quotes, printable, truncated to 60 bytes.
std::string in_quotes(std::string_view text);

// A decimal integer from `min` to `max`. The error about the range appends `unit` (" bytes").
Result<std::uint64_t> parse_whole(std::string_view text, std::uint64_t min, std::uint64_t max,
                                  std::string_view unit = "");

// A decimal number, with or without a fraction, from `min` to `max`.
Result<double> parse_decimal(std::string_view text, double min, double max, std::string_view unit = "");

// Seconds with or without a fraction, rounded to milliseconds.
Result<std::chrono::milliseconds> parse_seconds(std::string_view text, std::chrono::milliseconds min,
                                                std::chrono::milliseconds max);

// Returns the uid of the user named `text`, or `text` itself when it is a number.
Result<uid_t> parse_user(std::string_view text);
inline constexpr std::uint64_t kMaxUser = 4'294'967'294;  // 2^32 - 1 means "no change" (chown(2))

// true/false, yes/no, on/off in any case, 1/0.
Result<bool> parse_flag(std::string_view text);

// The value of the key `action`: a list of at least one name of an action or recipient, separated by commas.
// Recipients are email, webhook, webhook:NAME, and wechat, dingding and feishu for the webhook of that name.
// NAME is case-sensitive, the others are not. "none" stands alone.
Result<ActionSet> parse_actions(std::string_view text);

// Returns all of these words, for an error message.
std::vector<std::string> action_words();

// Splits at commas and removes the spaces around each item.
std::vector<std::string_view> split_list(std::string_view text);

// Returns the shortest decimal text that is read back as the same value.
std::string decimal_text(double value);
std::string seconds_text(std::chrono::milliseconds value);
std::string actions_text(const ActionSet& actions);

// Returns the error "unknown value 'htp'; known are http, tcp; did you mean 'http'?".
Error unknown_value(std::string_view text, const std::vector<std::string_view>& known);

// Returns the value of `all` whose to_string() equals `text`, ignoring case.
template <class E, std::size_t N> Result<E> parse_choice(std::string_view text, const std::array<E, N>& all) {
    std::vector<std::string_view> known;
    for (const E value : all) {
        if (lower(text) == to_string(value))
            return value;
        known.push_back(to_string(value));
    }
    return unknown_value(text, known);
}

}  // namespace healthcheckd
