// Text put together from its parts in one allocation. Every process.
#pragma once

#include "common/text/digits.h"

#include <string>
#include <string_view>

namespace healthcheckd {

inline std::string_view view_of(std::string_view part) {
    return part;
}

inline std::string_view view_of(const Digits& part) {
    return part.text();
}

// Appends all parts, texts and Digits, to `out`.
template <class... Parts> void append_all(std::string& out, const Parts&... parts) {
    out.reserve(out.size() + (view_of(parts).size() + ...));
    (out.append(view_of(parts)), ...);
}

// Returns all parts, texts and Digits, in a row.
template <class... Parts> std::string concat(const Parts&... parts) {
    std::string out;
    append_all(out, parts...);
    return out;
}

}  // namespace healthcheckd
