// JSON as a text, written and read one way. Every process.
//
// The library's own code for that is compiled once, in json.cc.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace healthcheckd {

// On one line, or with so many blanks for each level. What is no UTF-8 becomes U+FFFD, so that nothing throws.
std::string json_text(const nlohmann::json& value, int indent = -1);
std::string json_text(const nlohmann::ordered_json& value, int indent = -1);

// The value; discarded (is_discarded()) where the text is none, or is nested deeper than `max_depth`.
nlohmann::json parse_json(std::string_view text, int max_depth = 100);
nlohmann::ordered_json parse_ordered_json(std::string_view text, int max_depth = 100);

}  // namespace healthcheckd
