// Parses healthcheckd's answers without trusting their form. healthcheckctl.
//
// A missing member, or one of the wrong type, is returned as empty, 0 or false, so that another version of
// healthcheckd leaves only a gap in the table. Strings are safe for a terminal (printable()).
#pragma once

#include "common/system/result.h"
#include "common/text/json.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::ctl {

using nlohmann::json;

// Parses an answer: an object with the member "ok". Fails for anything else.
Result<json> parse_answer(std::string_view text);

// Returns the member, or null.
const json& at(const json& object, const char* key);

std::string text_at(const json& object, const char* key, std::size_t max = 1000);
bool flag_at(const json& object, const char* key);
// Returns the member as a plain number: "12", "0.5".
std::string number_at(const json& object, const char* key);
// Returns an empty list unless the member is a list.
const json& list_at(const json& object, const char* key);
// Returns the strings in a list.
std::vector<std::string> texts_at(const json& object, const char* key);
// Returns a time: RFC 3339 in UTC, with or without fractions of a second.
std::optional<std::chrono::system_clock::time_point> time_at(const json& object, const char* key);

}  // namespace healthcheckd::ctl
