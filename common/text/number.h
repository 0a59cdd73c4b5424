// Measured values as text, for people and commands. Every process.
#pragma once

#include <charconv>
#include <cmath>
#include <iterator>
#include <string>

namespace healthcheckd {

// Returns decimal notation with at most three decimal places and no trailing zeros: "1031.2", "0.005", "3".
// Infinity and NaN become "0".
inline std::string number_text(double value) {
    char digits[400];  // the largest double has 309 digits before the point
    const double finite = std::isfinite(value) ? value : 0;
    const auto end =
        std::to_chars(std::begin(digits), std::end(digits), finite, std::chars_format::fixed, 3).ptr;
    std::string text(std::begin(digits), end);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.'))
        text.pop_back();
    return text == "-0" ? "0" : text;
}

}  // namespace healthcheckd
