// One TCP connection to an address that needs no name service, made and closed at once. Worker (tcp).
#pragma once

#include "common/result.h"

#include <chrono>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace healthcheckd::worker {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

// Whether `host` is localhost or an IPv4 or IPv6 address (with or without brackets and interface), which no
// name service is asked for, here or by libcurl. Opens nothing.
bool is_address(const std::string& host);

// The addresses of `host` when it is an IPv4 or IPv6 address (with or without brackets), or `localhost`: both
// of the loopback, which that name always means (RFC 6761, section 6.3). Empty for any other name. `port`: 1
// to 65535.
std::vector<SocketAddress> fixed_addresses(const std::string& host, int port);

// Connects and closes again, within `limit`. Fails with ETIMEDOUT when nothing answered, or `limit` is not
// above 0; with ECONNREFUSED when it met itself; with `what` == kNoSocket when this machine had no socket to
// connect with.
Result<void> connect_once(const SocketAddress& address, std::chrono::milliseconds limit);

inline constexpr char kNoSocket[] = "no socket for the check";

}  // namespace healthcheckd::worker
