// All keys of the configuration: those of the section config and of all cats, which stand here, and those that each
// type of check, action and kind of channel has for itself. Configuration child, master (decoding a transfer), and
// -T.
#pragma once

#include "common/config/key.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

enum class Section : std::uint8_t { config, channel, cat };

// A key, and whose it is.
struct KnownKey {
    Section section = Section::config;
    const Key* key = nullptr;           // nullptr: there is none
    const CheckType* type = nullptr;    // of this type of check; nullptr: of none in particular
    const ChannelKind* kind = nullptr;  // of this kind of channel; nullptr outside of channels

    // Does it have an effect on a cat of `of`? Always outside of cats.
    bool concerns(const CheckType& of) const;
    // The canonical text that it has when nobody gives it; "none", or "required".
    std::string default_text() const;
};

// All keys, in the order in which they are printed, those of one type of check behind those of another.
std::vector<KnownKey> all_keys();

// The keys of `config`, in that order.
std::span<const Key> config_keys();

// The keys that concern `cat`, in that order: program and type come first.
std::vector<const Key*> keys_of(const CatConfig& cat);

// The key of `config` or of cats called `name`, or whose alias it is. Among cats' keys of several types that of
// `type`, or else the first.
KnownKey find_key(Section section, std::string_view name, const CheckType* type = nullptr);
// The same of a channel.
KnownKey find_key(const ChannelKind& kind, std::string_view name);

// Every name of the section's keys, without misspelt aliases: candidates for "did you mean".
std::vector<std::string_view> key_names(Section section, const ChannelKind* kind = nullptr);

}  // namespace healthcheckd::master
