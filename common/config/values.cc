#include "common/config/values.h"

#include "common/text/printable.h"
#include "common/text/split.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <pwd.h>

namespace healthcheckd {

namespace {

constexpr std::size_t kMaxNumberText = 40;

bool digits_only(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// [-]digits[.digits], without a leading zero.
bool plain_decimal(std::string_view text) {
    if (text.size() > kMaxNumberText)
        return false;
    if (text.starts_with('-'))
        text.remove_prefix(1);
    const std::size_t point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    if (!digits_only(whole) || (whole.size() > 1 && whole[0] == '0'))
        return false;
    return point == std::string_view::npos || digits_only(text.substr(point + 1));
}

Error not_a_number(std::string_view text, std::string_view kind) {
    return Error{in_quotes(text) + " is not a plain " + std::string(kind) +
                 " number (digits only: no sign, leading zero, exponent or unit)"};
}

Error out_of_range(std::string_view text, std::string_view min, std::string_view max, std::string_view unit) {
    return Error{std::string(text) + " is out of range: " + std::string(min) + " to " + std::string(max) +
                 std::string(unit)};
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
    return lower(a) == lower(b);
}

constexpr std::string_view kNoAction = "none";

// Returns the recipient that an item of `action` names (email, webhook:NAME); "" when it names none.
std::string audience_of(std::string_view item) {
    const std::string low = lower(item);
    for (const ChannelKind* kind : channel_kinds()) {
        if (low == kind->word)
            return low;
        const std::string prefix = std::string(kind->label) + ':';
        if (kind->named && low.starts_with(prefix) && low.size() > prefix.size())
            return prefix + std::string(item.substr(prefix.size()));
        if (std::ranges::find(kind->aliases, low) != kind->aliases.end())
            return prefix + low;
    }
    return {};
}

// Returns the sort key of a recipient: the kind's index among all kinds, and all channels of a kind before
// single ones.
std::pair<std::size_t, bool> order_of(const std::string& audience) {
    const auto kinds = channel_kinds();
    for (std::size_t i = 0; i < kinds.size(); ++i)
        if (audience == kinds[i]->word)
            return {i, false};
        else if (kinds[i] == kind_of_channel(audience))
            return {i, true};
    return {kinds.size(), true};
}

}  // namespace

std::string in_quotes(std::string_view text) {
    return "'" + printable(text, 60) + "'";
}

Result<uid_t> parse_user(std::string_view text) {
    if (digits_only(text)) {
        const Result<std::uint64_t> number = parse_whole(text, 0, kMaxUser);
        return number ? Result<uid_t>(static_cast<uid_t>(*number)) : number.error();
    }
    std::array<char, 16384> buffer;  // large enough for one user's entry
    passwd entry{};
    passwd* found = nullptr;
    const int error = ::getpwnam_r(std::string(text).c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error != 0)
        return Error{"the user " + in_quotes(text) + " could not be looked up", error};
    if (found == nullptr)
        return Error{"there is no user " + in_quotes(text)};
    return found->pw_uid;
}

Result<std::uint64_t> parse_whole(std::string_view text, std::uint64_t min, std::uint64_t max,
                                  std::string_view unit) {
    const bool negative = text.starts_with('-') && plain_decimal(text);
    if (!negative && (!plain_decimal(text) || !digits_only(text)))
        return not_a_number(text, "whole");
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (negative || problem != std::errc{} || value < min || value > max)
        return out_of_range(text, std::to_string(min), std::to_string(max), unit);
    return value;
}

Result<double> parse_decimal(std::string_view text, double min, double max, std::string_view unit) {
    if (!plain_decimal(text))
        return not_a_number(text, "decimal");
    double value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || !(value >= min) || !(value <= max))
        return out_of_range(text, decimal_text(min), decimal_text(max), unit);
    return value;
}

Result<std::chrono::milliseconds> parse_seconds(std::string_view text, std::chrono::milliseconds min,
                                                std::chrono::milliseconds max) {
    const auto seconds = [](std::chrono::milliseconds value) {
        return std::chrono::duration<double>(value).count();
    };
    const Result<double> value = parse_decimal(text, seconds(min), seconds(max), " seconds");
    if (!value)
        return value.error();
    return std::chrono::milliseconds(std::llround(*value * 1000));
}

Result<bool> parse_flag(std::string_view text) {
    for (const std::string_view yes : {"true", "yes", "on", "1"})
        if (same_ignoring_case(text, yes))
            return true;
    for (const std::string_view no : {"false", "no", "off", "0"})
        if (same_ignoring_case(text, no))
            return false;
    return Error{in_quotes(text) + " is neither true nor false (true/false, yes/no, on/off, 1/0)"};
}

std::vector<std::string_view> split_list(std::string_view text) {
    std::vector<std::string_view> items = split(text, ',');
    for (std::string_view& item : items)
        item = trimmed(item, " ");
    return items;
}

std::vector<std::string> action_words() {
    std::vector<std::string> words;
    for (const ActionType* action : action_types())
        words.emplace_back(action->name);
    for (const ChannelKind* kind : channel_kinds()) {
        words.emplace_back(kind->word);
        if (kind->named)
            words.push_back(std::string(kind->label) + ":NAME");
        words.insert(words.end(), kind->aliases.begin(), kind->aliases.end());
    }
    words.emplace_back(kNoAction);
    return words;
}

Result<ActionSet> parse_actions(std::string_view text) {
    ActionSet actions;
    if (same_ignoring_case(text, kNoAction))
        return actions;
    for (const std::string_view item : split_list(text)) {
        const ActionType* action = find_action(lower(item));
        std::string audience = audience_of(item);
        if (lower(item) == kNoAction)
            return Error{"'none' stands alone"};
        if (action == nullptr && audience.empty()) {
            const std::vector<std::string> words = action_words();
            return unknown_value(item, {words.begin(), words.end()});
        }
        if (std::ranges::count(actions.acts, action) + std::ranges::count(actions.tells, audience) > 0)
            return Error{in_quotes(item) + " is named twice"};
        if (action != nullptr)
            actions.acts.push_back(action);
        else
            actions.tells.push_back(std::move(audience));
    }
    std::ranges::sort(actions.acts, {}, [](const ActionType* one) {
        return std::ranges::find(action_types(), one) - action_types().begin();
    });
    std::ranges::stable_sort(actions.tells, {}, order_of);
    return actions;
}

std::string decimal_text(double value) {
    std::array<char, 400> buffer;  // the longest double in fixed notation has 309 digits before the point
    const auto [end, problem] =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
    return problem == std::errc{} ? std::string(buffer.data(), end) : std::string();
}

std::string seconds_text(std::chrono::milliseconds value) {
    return decimal_text(static_cast<double>(value.count()) / 1000);
}

std::string actions_text(const ActionSet& actions) {
    std::string out;
    for (const ActionType* each : actions.acts)
        out.append(out.empty() ? "" : ",").append(each->name);
    for (const std::string& each : actions.tells)
        out.append(out.empty() ? "" : ",").append(each);
    return out.empty() ? std::string(kNoAction) : out;
}

Error unknown_value(std::string_view text, const std::vector<std::string_view>& known) {
    std::string out = "unknown value " + in_quotes(text) + "; known are ";
    for (std::size_t i = 0; i < known.size(); ++i)
        out.append(i == 0 ? "" : ", ").append(known[i]);
    return Error{out + did_you_mean(text, known)};
}

}  // namespace healthcheckd
