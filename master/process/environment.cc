#include "master/process/environment.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

constexpr std::string_view kEverybodys[] = {"HOSTALIASES",   "LANG", "LANGUAGE",    "LOCALDOMAIN",
                                            "RESOLV_",       "LC_",  "RES_OPTIONS", "SSL_CERT_DIR",
                                            "SSL_CERT_FILE", "TZ"};

// Returns NAME of NAME=VALUE, by a copy: what searches or compares text reads beyond its end, see copy_secret().
std::string name_of(const char* entry) {
    std::string name;
    for (const volatile char* at = entry; *at != '\0' && *at != '='; ++at)
        name += *at;
    return name;
}

bool is_everybodys(const std::string& name) {
    return std::ranges::any_of(kEverybodys, [&](std::string_view known) {
        return known.ends_with('_') ? name.starts_with(known) : name == known;
    });
}

}  // namespace

const SecretStore& hide_environment() {
    // Never destroyed: libraries may read the environment until the process ends.
    static SecretStore& store = *new SecretStore;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::size_t length = secret_length(*entry);
        if (is_everybodys(name_of(*entry)))
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
