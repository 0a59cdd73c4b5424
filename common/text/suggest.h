// The nearest known name for one that is not known. Configuration child.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd {

// ASCII letters in lower case, other bytes as they are.
std::string lower(std::string_view text);

// The one of `known` that a slip of the fingers would turn into `text`: at most a third of its letters wrong,
// case not counted. Empty when none is that near.
std::string_view nearest(std::string_view text, const std::vector<std::string_view>& known);

// "; did you mean 'periodSeconds'?", or "".
std::string did_you_mean(std::string_view text, const std::vector<std::string_view>& known);

}  // namespace healthcheckd
