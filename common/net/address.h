// Numeric addresses. Every process.
#pragma once

#include <string>

namespace healthcheckd {

// Returns whether `host` is an IPv4 or IPv6 address as inet_pton(3) takes it: without brackets and interface.
bool is_numeric_address(const std::string& host);

}  // namespace healthcheckd
