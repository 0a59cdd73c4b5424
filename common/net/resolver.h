// What the C library's name resolution needs in a confined process, and how long it may go on. Worker (http,
// tcp), mailer and link.
#pragma once

#include "common/system/path_watch.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace healthcheckd {

inline constexpr std::uint16_t kDnsPort = 53;

// The files that getaddrinfo(3) reads for host names: Landlock leaves these readable.
const std::vector<std::string>& resolver_files();

class Resolver {
public:
    // Before confinement; asks nobody anything. Loads the modules that nsswitch.conf(5) names for hosts and
    // that are not part of the C library, so that none has to be opened later. Then limits what look-ups can
    // leave behind: each is made in a thread, which is forgotten when the time `limit` of a probe is over. So
    // the time limits of resolv.conf(5) are cut to that of the probe, and threads get small stacks.
    explicit Resolver(std::chrono::milliseconds limit);

    // The first of resolver_files() that is another file now than at the start; empty when none is. The
    // worker cannot read the new one (common/system/path_watch.h).
    std::string replaced_file() const { return files_.replaced(); }

private:
    PathWatch files_;
};

}  // namespace healthcheckd
