// The YAML text as a tree of our own, with a place for every key and value. Configuration child.
//
// yaml-cpp's own nodes accept duplicate keys in silence, expand aliases without bound and lose the places of
// keys; its events do not.
#pragma once

#include "common/config/draft.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

struct Pair;

struct Node {
    enum class Kind { null, scalar, list, map };
    Kind kind = Kind::null;
    SourceLocation place;
    bool quoted = false;      // a scalar that is a text for sure
    std::string text;         // of a scalar
    std::vector<Node> items;  // of a list
    std::vector<Pair> pairs;  // of a map, in the order of the file, duplicates included
};

struct Pair {
    std::string key;
    SourceLocation place;  // of the key
    Node value;
};

// Parses one YAML document. nullopt: it could not be parsed, which then is an error in `complaints`. Bounded:
// 20 levels, 50,000 nodes. Anchors, aliases, merge keys, tags other than !!str, and a second document are
// refused: a file of checks needs none, and each is a way to say more than one can read.
std::optional<Node> read_tree(std::string_view text, Diagnostics& diagnostics);

// Refuses what is no text of ours: NUL, invalid UTF-8, more than 1 MB, or 50,000 brackets. Returns whether it
// may be parsed.
bool check_bytes(std::string_view text, Diagnostics& diagnostics);

inline constexpr std::size_t kMaxFile = 1'000'000;

}  // namespace healthcheckd::master
