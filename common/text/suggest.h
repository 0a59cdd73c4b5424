// Suggests the nearest known name for an unknown one. Configuration child.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd {

// Converts ASCII letters to lower case; leaves all other bytes.
std::string lower(std::string_view text);

// Returns the one of `known` of which `text` is probably a misspelling: at most a third of its letters
// differ, ignoring case. Returns "" when there is none.
std::string_view nearest(std::string_view text, const std::vector<std::string_view>& known);

// Returns "; did you mean 'periodSeconds'?", or "".
std::string did_you_mean(std::string_view text, const std::vector<std::string_view>& known);

}  // namespace healthcheckd
