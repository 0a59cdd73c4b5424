// healthcheckd's answers, taken apart without trust in their form. healthcheckctl.
//
// What is not there, or is something else than it should be, reads as empty, 0 or false: an older or newer
// healthcheckd then leaves a hole in the table. Texts come fit for a terminal (printable()).
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

// The object that an answer is, with its "ok"; or in which way it is none.
Result<json> parse_answer(std::string_view text);

// The member, or null.
const json& at(const json& object, const char* key);

std::string text_at(const json& object, const char* key, std::size_t max = 1000);
bool flag_at(const json& object, const char* key);
// The member of an object as a plain number: "12", "0.5".
std::string number_at(const json& object, const char* key);
// Empty unless the member is a list.
const json& list_at(const json& object, const char* key);
// The texts of a list.
std::vector<std::string> texts_at(const json& object, const char* key);
// A time of the answer: RFC 3339 in UTC, with or without parts of a second.
std::optional<std::chrono::system_clock::time_point> time_at(const json& object, const char* key);

}  // namespace healthcheckd::ctl
