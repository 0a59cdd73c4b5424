// Splits a list into its items and removes blanks. Pure; what is returned are views into the argument.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace healthcheckd {

// Returns the parts of `text` between separators: one more than there are separators.
inline std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t from = 0; from <= text.size();) {
        const std::size_t end = std::min(text.find(separator, from), text.size());
        parts.push_back(text.substr(from, end - from));
        from = end + 1;
    }
    return parts;
}

// Returns `text` without the characters of `blanks` at its start.
inline std::string_view trimmed_front(std::string_view text, std::string_view blanks) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text;
}

// As trimmed_front(), at its end too.
inline std::string_view trimmed(std::string_view text, std::string_view blanks) {
    text = trimmed_front(text, blanks);
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

}  // namespace healthcheckd
