// FNV-1a with 64 bits: a short number for a text, the same at every start. Tells apart what differs by chance, not
// what an attacker forges. Every process.
#pragma once

#include <cstdint>
#include <string_view>

namespace healthcheckd {

inline constexpr std::uint64_t kFnvSeed = 0xcbf29ce484222325;

// Of `text`, behind what `hash` is of.
constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t hash = kFnvSeed) {
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

}  // namespace healthcheckd
