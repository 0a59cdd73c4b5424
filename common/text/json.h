// Writing and parsing JSON texts. Every process.
//
// The library's templates for this are instantiated only in json.cc.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace healthcheckd {

// Returns the text on one line, or indented by `indent` blanks for each level. Bytes that are not UTF-8
// become U+FFFD, so that it never throws.
std::string json_text(const nlohmann::json& value, int indent = -1);
std::string json_text(const nlohmann::ordered_json& value, int indent = -1);

// Returns the value; discarded (is_discarded()) when the text is invalid or nested deeper than `max_depth`.
nlohmann::json parse_json(std::string_view text, int max_depth = 100);
nlohmann::ordered_json parse_ordered_json(std::string_view text, int max_depth = 100);

}  // namespace healthcheckd
