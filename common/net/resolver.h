// Prepares the C library's name resolution for a confined process, and bounds its time. Worker
// (http, tcp), mailer and link.
#pragma once

#include "common/system/path_watch.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace healthcheckd {

inline constexpr std::uint16_t kDnsPort = 53;

// The files that getaddrinfo(3) reads for host names: Landlock must leave these readable.
const std::vector<std::string>& resolver_files();

class Resolver {
public:
    // Call before confinement; sends no query. Loads the modules that nsswitch.conf(5) names for hosts and
    // that are not part of the C library, so that none has to be opened later. Also bounds what abandoned
    // lookups use: each runs in a thread, which is abandoned at the probe's timeout `limit`, so the timeouts
    // of resolv.conf(5) are cut to about that, and threads get small stacks.
    explicit Resolver(std::chrono::milliseconds limit);

    // Returns the first of resolver_files() that has been replaced since the start; "" for none. The worker
    // cannot read the new file (common/system/path_watch.h).
    std::string replaced_file() const { return files_.replaced(); }

private:
    PathWatch files_;
};

}  // namespace healthcheckd
