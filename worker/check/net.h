// What types of check that ask a server have in common: its address, and what their workers may do. Configuration
// child, master and worker.
#pragma once

#include "common/config/accessors.h"
#include "common/config/check_type.h"
#include "common/sandbox/sandbox.h"

#include <string>

namespace healthcheckd {

struct ServerAddress : Settings {
    std::string host = "localhost";
    int port = 80;
};

inline constexpr Key kHostKey{
    .name = "host", .set = set_host<&ServerAddress::host>, .get = get_text<&ServerAddress::host>};
inline constexpr Key kPortKey{
    .name = "port", .set = set_whole<&ServerAddress::port, 1, 65535>, .get = get_whole<&ServerAddress::port>};

// " HOST PORT".
std::string server_of(const CatConfig& cat);

// By how long its probe took, in milliseconds, against timeoutSeconds.
Scale time_scale(const CatConfig& cat);

// Connections to the server's port alone, and what resolving its name takes, if it has one.
SandboxProfile network_profile(const CatConfig& cat);

}  // namespace healthcheckd
