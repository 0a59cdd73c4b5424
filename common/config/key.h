// A key of the configuration: its name, its values, and the setter and getter of its value. Configuration
// child, master (decoding a transfer), and -T.
//
// Every value has a canonical text: made from the text in the file, carried by a transfer, and printed by -T.
#pragma once

#include "common/config/config.h"
#include "common/system/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace healthcheckd {

// The YAML that a value may be.
enum class Shape : std::uint8_t {
    scalar,
    list,     // a scalar with commas, or a YAML list
    json,     // a scalar that holds a JSON text, or a YAML map or list
    headers,  // as json, but the values in the map are strings
};

enum class Sensitivity : std::uint8_t {
    open,
    kept,      // in the SecretStore, but printed by -T
    command,   // as kept; a shell command that may contain a secret
    masked,    // printed by -T with values that look like secrets masked
    password,  // never printed
    url,       // printed by -T up to the end of its host: the rest may be a secret
};

// The object that a setter writes to. A channel's key needs `channel`, a cat's `cat`.
struct KeyTarget {
    Config* config;
    CatConfig* cat;
    SecretStore::Group group;  // for secrets of the cat: the cat's index
    ChannelConfig* channel = nullptr;
};
struct KeySource {
    const Config* config;
    const CatConfig* cat;
    const ChannelConfig* channel = nullptr;
};

struct Key {
    // Which children use a key of `config` and are restarted when a reload changes it. kNobody: none, the new
    // value is used from the next time on. kNextStart: a reload keeps the old value.
    enum Renews : unsigned {
        kNotSaid = 0,
        kNobody = 1,
        kWorkers = 2,
        kLink = 4,
        kMailer = 8,
        kProcessReader = 16,
        kNextStart = 32,
    };

    std::string_view name;
    std::string_view alias = {};  // another name for it; "": none
    bool alias_is_wrong = false;  // the alias is a misspelling in older files: accepted with a warning
    // For a key common to all cats: returns whether it applies to a type. nullptr: to all.
    bool (*concerns)(const CheckType& type) = nullptr;
    Shape shape = Shape::scalar;
    bool required = false;
    Sensitivity sensitivity = Sensitivity::open;
    unsigned renews = kNotSaid;  // bits of Renews; only for keys of `config`

    // Makes the canonical text from the text in the file; nullptr: they are the same. Not called for a
    // transfer.
    Result<std::string> (*canonical)(std::string_view text) = nullptr;
    // Validates and stores a canonical text.
    Result<void> (*set)(const KeyTarget& target, std::string_view text);
    // Returns the canonical text of the effective value; "" when there is none. Secrets are returned as a
    // view, so that they are not copied to the heap; `buffer` holds any other text.
    std::string_view (*get)(const KeySource& source, std::string& buffer);
};

}  // namespace healthcheckd
