#include "master/process/environment.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

constexpr std::string_view kEverybodys[] = {"HOSTALIASES",   "LANG", "LANGUAGE",    "LOCALDOMAIN",
                                            "RESOLV_",       "LC_",  "RES_OPTIONS", "SSL_CERT_DIR",
                                            "SSL_CERT_FILE", "TZ"};

bool is_everybodys(std::string_view entry) {
    const std::string_view name = entry.substr(0, entry.find('='));
    return std::ranges::any_of(kEverybodys, [&](std::string_view known) {
        return known.ends_with('_') ? name.starts_with(known) : name == known;
    });
}

}  // namespace

const SecretStore& hide_environment() {
    // Never destroyed: libraries may read the environment until the process ends.
    static SecretStore& store = *new SecretStore;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::size_t length = std::strlen(*entry);
        if (is_everybodys(*entry))
            continue;
        const Secret kept = store.put(kEnvironment, {*entry, length + 1});
        ::explicit_bzero(*entry, length);
        // The store never writes to it again. The cast is necessary because environ(7) has
        // mutable strings, see putenv(3).
        *entry = const_cast<char*>(kept.view().data());
    }
    return store;
}

}  // namespace healthcheckd::master
