// The 64-bit FNV-1a hash: the same at every start. Protects against accidental collisions, not against
// forged ones. Every process.
#pragma once

#include <cstdint>
#include <string_view>

namespace healthcheckd {

inline constexpr std::uint64_t kFnvSeed = 0xcbf29ce484222325;

// Returns the hash of `text`, appended to the text that `hash` is of.
constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t hash = kFnvSeed) {
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

}  // namespace healthcheckd
