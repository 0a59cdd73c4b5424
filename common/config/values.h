// Strict parsers of single values, from the text as the file has it, and their printers. Configuration child,
// and master (decoding a transfer).
//
// Every parser refuses what a reader could take for something else: 010 (octal in YAML 1.1), 0x10, 1e3, +5,
// .nan, "5 x". Errors are one sentence without the key's name; the caller knows key and place.
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

// `text` in single quotes, fit for a log and cut at 60 bytes.
std::string in_quotes(std::string_view text);

// A whole decimal number from `min` to `max`. `unit` (" bytes") stands in the complaint about the range.
Result<std::uint64_t> parse_whole(std::string_view text, std::uint64_t min, std::uint64_t max,
                                  std::string_view unit = "");

// A decimal number, with or without a fraction, from `min` to `max`.
Result<double> parse_decimal(std::string_view text, double min, double max, std::string_view unit = "");

// Seconds with or without a fraction, rounded to milliseconds.
Result<std::chrono::milliseconds> parse_seconds(std::string_view text, std::chrono::milliseconds min,
                                                std::chrono::milliseconds max);

// The user that `text` names, or a user's number.
Result<uid_t> parse_user(std::string_view text);
inline constexpr std::uint64_t kMaxUser = 4'294'967'294;  // the number after it means "no change" (chown(2))

// true/false, yes/no, on/off in any case, 1/0.
Result<bool> parse_flag(std::string_view text);

// What the key `action` takes: names of actions, and words for whom to tell (email, webhook, webhook:NAME, and
// wechat, dingding and feishu, which stand for the webhook of that name); separated by commas; at least one, in any
// case but for NAME. Or none, alone.
Result<ActionSet> parse_actions(std::string_view text);

// All of these words, for a complaint.
std::vector<std::string> action_words();

// The items between commas, without the spaces around them.
std::vector<std::string_view> split_list(std::string_view text);

// The shortest decimal text that reads back as the same value.
std::string decimal_text(double value);
std::string seconds_text(std::chrono::milliseconds value);
std::string actions_text(const ActionSet& actions);

// "unknown value 'htp'; known are http, tcp; did you mean 'http'?".
Error unknown_value(std::string_view text, const std::vector<std::string_view>& known);

// The one of `all` whose to_string() is `text`, in any case.
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
