// The table of all keys: those of `config` and of all cats are defined here, those of a type of check, an
// action or a kind of channel in its own file. Configuration child, master (decoding a transfer), and -T.
#pragma once

#include "common/config/key.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

enum class Section : std::uint8_t { config, channel, cat };

// A key with its section and owner.
struct KnownKey {
    Section section = Section::config;
    const Key* key = nullptr;           // nullptr: no such key
    const CheckType* type = nullptr;    // its type of check; nullptr: not specific to a type
    const ChannelKind* kind = nullptr;  // its kind of channel; nullptr outside of channels

    // Returns whether the key applies to a cat of type `of`; true for keys outside of cats.
    bool concerns(const CheckType& of) const;
    // Returns the canonical text of its default; "none", or "required".
    std::string default_text() const;
};

// All keys in the order in which they are printed; the keys of one type of check follow those of another.
const std::vector<KnownKey>& all_keys();

// The keys of `config`, in that order.
std::span<const Key> config_keys();

// Returns the keys that apply to `cat`, in that order: program and type come first.
std::vector<const Key*> keys_of(const CatConfig& cat);

// Returns the key of `config` or of cats whose name or alias is `name`. When several types of check have it,
// returns that of `type`, or else of the first type.
KnownKey find_key(Section section, std::string_view name, const CheckType* type = nullptr);
// As above, for a kind of channel.
KnownKey find_key(const ChannelKind& kind, std::string_view name);

// Returns all names in the section, without misspelled aliases: candidates for "did you mean".
std::vector<std::string_view> key_names(Section section, const ChannelKind* kind = nullptr);

}  // namespace healthcheckd::master
