// Numeric addresses. Every process.
#pragma once

#include <string>

namespace healthcheckd {

// Returns whether `host` is an IPv4 or IPv6 address as inet_pton(3) takes it: without brackets and interface.
bool is_numeric_address(const std::string& host);

// Returns an IPv4 address that is written in a shorter way, which getaddrinfo(3) takes too ("127.1", "0x7f000001"), as
// four decimal numbers (inet_aton(3)); any other host unchanged.
std::string with_full_address(const std::string& host);

}  // namespace healthcheckd
