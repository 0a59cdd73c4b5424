// Measured values as text, for people and commands. Every process.
#pragma once

#include "common/text/digits.h"

#include <string>

namespace healthcheckd {

// Returns decimal notation with at most three decimal places and no trailing zeros: "1031.2", "0.005", "3".
// Infinity and NaN become "0".
inline std::string number_text(double value) {
    const Digits digits = Digits::fixed(value, 3);
    std::string_view text = digits.text();
    text.remove_suffix(text.size() - 1 - text.find_last_not_of('0'));
    if (text.ends_with('.'))
        text.remove_suffix(1);
    return std::string(text == "-0" ? "0" : text);
}

}  // namespace healthcheckd
