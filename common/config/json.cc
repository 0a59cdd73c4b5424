#include "common/config/json.h"

#include "common/config/texts.h"
#include "common/config/values.h"
#include "common/text/suggest.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

namespace healthcheckd {

namespace {

using Json = nlohmann::ordered_json;  // keeps the order of keys in the file

constexpr std::size_t kMaxJson = 32 * 1024;
constexpr std::size_t kMaxHeaders = 8 * 1024;
constexpr int kMaxDepth = 100;  // dump() and masking recurse

// Parses, and collects the names in the outermost object, because Json silently merges duplicates.
Result<Json> parse(std::string_view text, std::vector<std::string>& names) {
    bool too_deep = false;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
        too_deep = too_deep || depth > kMaxDepth;
        if (event == Json::parse_event_t::key && depth == 1)
            names.push_back(lower(value.get<std::string>()));
        return !too_deep;
    };
    try {
        Json json = Json::parse(text, watch);
        if (too_deep)
            return Error{"is nested deeper than " + std::to_string(kMaxDepth) + " levels"};
        return json;
    } catch (const Json::parse_error& problem) {
        return Error{"is not a JSON text: error at byte " + std::to_string(problem.byte)};
    } catch (const Json::exception&) {
        return Error{"is not a JSON text: a number in it is too large"};
    }
}

bool is_token(std::string_view name) {
    return !name.empty() &&
           name.find_first_not_of(
               "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") ==
               std::string_view::npos;
}

Result<std::string> header_value(const std::string& name, const Json& value) {
    if (value.is_number() || value.is_boolean())
        return value.dump();
    if (!value.is_string())
        return Error{"the value of header " + in_quotes(name) + " must be a text"};
    std::string text = value.get<std::string>();
    if (Result<void> line = check_line(text, kMaxHeaders); !line && !text.empty())
        return Error{"the value of header " + in_quotes(name) + " " + line.error().what};
    return text;
}

bool holds_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    const std::string lowered = lower(text);
    return std::ranges::any_of(
        words, [&](std::string_view word) { return lowered.find(word) != std::string::npos; });
}

bool looks_secret(std::string_view key) {
    // "pass" covers password and passwd.
    return holds_one_of(key, {"authorization", "cookie", "token", "secret", "pass", "key", "credential"});
}

// Returns whether anything was masked. Recursion is bounded by kMaxDepth.
bool mask(Json& json) {
    bool masked = false;
    if (json.is_object())
        for (auto& [key, value] : json.items()) {
            if (looks_secret(key)) {
                value = kMask;
                masked = true;
            } else {
                masked = mask(value) || masked;
            }
        }
    else if (json.is_array())
        for (Json& item : json)
            masked = mask(item) || masked;
    return masked;
}

}  // namespace

Result<std::string> checked_json(std::string_view text) {
    if (text.size() > kMaxJson)
        return Error{"is longer than 32 KB"};
    std::vector<std::string> unused;
    if (Result<Json> json = parse(text, unused); !json)
        return json.error();
    return std::string(text);
}

Result<std::string> checked_headers(std::string_view text) {
    if (text.size() > kMaxHeaders)
        return Error{"is longer than 8 KB"};
    std::vector<std::string> names;
    const Result<Json> json = parse(text, names);
    if (!json)
        return json.error();
    if (!json->is_object())
        return Error{"must be a map of names and values, or a JSON object"};
    Json out = Json::object();
    for (const auto& [name, value] : json->items()) {
        if (!is_token(name))
            return Error{in_quotes(name) + " is no name for a header (letters, digits and !#$%&'*+-.^_`|~)"};
        if (std::ranges::count(names, lower(name)) > 1)
            return Error{"header " + in_quotes(name) + " is given twice"};
        const Result<std::string> checked = header_value(name, value);
        if (!checked)
            return checked.error();
        out[name] = *checked;
    }
    std::string result = out.dump();
    if (result.size() > kMaxHeaders)
        return Error{"is longer than 8 KB"};
    return result;
}

Result<std::string> checked_call_headers(std::string_view text) {
    Result<std::string> checked = checked_headers(text);
    if (!checked)
        return checked;
    const Json headers = Json::parse(*checked);
    for (const auto& [name, value] : headers.items())
        for (const std::string_view own : {"content-length", "transfer-encoding", "host"})
            if (lower(name) == own)
                return Error{"must not hold " + in_quotes(name) + ": it follows from the call and the URL"};
    return checked;
}

bool names_secret(std::string_view command) {
    // Without the shorter words, which occur in harmless commands: bypass, keys.
    return holds_one_of(command, {"authorization", "cookie", "token", "secret", "passw", "credential"});
}

Result<void> check_json_size(std::string_view text) {
    if (text.empty() || text.size() > kMaxJson)
        return Error{"must be 1 byte to 32 KB"};
    return {};
}

std::string masked_json(std::string_view json_text) {
    std::vector<std::string> unused;
    Result<Json> json = parse(json_text, unused);
    if (!json)
        return std::string(kMask);
    return mask(*json) ? json->dump() : std::string(json_text);
}

}  // namespace healthcheckd
