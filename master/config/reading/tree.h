// Parses YAML text into a tree with the place of every key and value. Configuration child.
//
// The events of yaml-cpp are used, because its nodes silently accept duplicate keys, expand aliases without
// limit, and lose the places of keys.
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
    bool quoted = false;      // a quoted scalar is always a string
    std::string text;         // of a scalar
    std::vector<Node> items;  // of a list
    std::vector<Pair> pairs;  // of a map, in the order of the file, duplicates included
};

struct Pair {
    std::string key;
    SourceLocation place;  // of the key
    Node value;
};

// Parses one YAML document. Returns nullopt on failure, after adding an error to `diagnostics`. Limits: 20
// levels, 50,000 nodes. Rejects anchors, aliases, merge keys, tags other than !!str, and a second document: a
// list of checks needs none of them, and each can make the text mean more than a reader sees.
std::optional<Node> read_tree(std::string_view text, Diagnostics& diagnostics);

// Returns whether the text may be parsed. Rejects NUL, invalid UTF-8, more than 1 MB, and more than 50,000
// brackets.
bool check_bytes(std::string_view text, Diagnostics& diagnostics);

inline constexpr std::size_t kMaxFile = 1'000'000;

}  // namespace healthcheckd::master
