// The replacement for secrets in everything that is printed, logged or sent. Every process.
#pragma once

#include <string>
#include <string_view>

namespace healthcheckd {

inline constexpr std::string_view kMask = "********";

// Replaces each `secret` in `text` by kMask. `secret` must not be empty.
inline void mask_in(std::string& text, std::string_view secret) {
    for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += kMask.size())
        text.replace(at, secret.size(), kMask);
}

}  // namespace healthcheckd
