// A key of the configuration: its name, what it takes, and where its value is kept. Configuration child, master
// (decoding a transfer), and -T.
//
// Every value has a canonical text: it comes from the file, is what a transfer carries, and what -T prints.
#pragma once

#include "common/config/config.h"
#include "common/system/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace healthcheckd {

// What a value may be in the file.
enum class Shape : std::uint8_t {
    scalar,
    list,     // a scalar with commas, or a YAML list
    json,     // a scalar that holds a JSON text, or a YAML map or list
    headers,  // the same, but values of the map are texts
};

enum class Sensitivity : std::uint8_t {
    open,
    kept,      // in the SecretStore, but -T prints it
    command,   // the same; a shell command that may name a secret
    masked,    // -T prints the text with its secret-looking values masked
    password,  // never printed
    url,       // printed up to the end of its host: the rest may be a key
};

// Where setters write. A channel's key needs `channel`, a cat's `cat`.
struct KeyTarget {
    Config* config;
    CatConfig* cat;
    SecretStore::Group group;  // for secrets of the cat: its index
    ChannelConfig* channel = nullptr;
};
struct KeySource {
    const Config* config;
    const CatConfig* cat;
    const ChannelConfig* channel = nullptr;
};

struct Key {
    // Who works by a key of `config` and is started anew when a reload changes it. kNobody: whoever needs it
    // next has the new value. kNextStart: a reload keeps the old value.
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
    std::string_view alias = {};  // another name for it, or ""
    bool alias_is_wrong = false;  // the alias is a misspelling of older files: accepted with a warning
    // Of a key that cats of all types know: which types it concerns. nullptr: all.
    bool (*concerns)(const CheckType& type) = nullptr;
    Shape shape = Shape::scalar;
    bool required = false;
    Sensitivity sensitivity = Sensitivity::open;
    unsigned renews = kNotSaid;  // of Renews; only for keys of `config`

    // Makes the canonical text of what the file has; nullptr when it is the same. Not used for a transfer.
    Result<std::string> (*canonical)(std::string_view text) = nullptr;
    // Checks and stores a canonical text.
    Result<void> (*set)(const KeyTarget& target, std::string_view text);
    // The canonical text of the effective value; "" when there is none. A view for secrets, so that they are
    // not copied to the heap; `buffer` holds what is no secret.
    std::string_view (*get)(const KeySource& source, std::string& buffer);
};

}  // namespace healthcheckd
