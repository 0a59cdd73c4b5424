// The common part of the types that ask a server: its address, and the privileges of their workers.
// Configuration child, master and worker.
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

// Returns " HOST PORT".
std::string server_of(const CatConfig& cat);

// The scale of the types whose value is the duration of the probe: milliseconds, with
// timeoutSeconds as the limit.
Scale time_scale(const CatConfig& cat);

// Allows connections to the server's port only, and resolving its name if it has one.
SandboxProfile network_profile(const CatConfig& cat);

}  // namespace healthcheckd
