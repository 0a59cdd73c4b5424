// The name in the greeting to a mail server (RFC 5321, 4.1.1.1 and 4.1.3). Mailer.
//
// The full name of this host is what hostname(1) -f shows; a host that has only a short name uses the address
// of the connection. libcurl needs the name before it connects, so the connection is made here.
#pragma once

#include "common/system/unique_fd.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <sys/socket.h>

namespace healthcheckd::master {

// Returns gethostname(2) if it has a dot, else the canonical name from the resolver; "" when neither is a
// full name that identifies this host elsewhere. Blocks for as long as the resolver.
std::string full_host_name();

// Returns "[192.0.2.1]" or "[IPv6:2001:db8::1]"; "" for any other family.
std::string address_literal(const sockaddr_storage& address);

struct MailConnection {
    UniqueFd socket;      // connected, non-blocking
    std::string literal;  // of the local address
};

// Connects to the first address of `host` that accepts, with the timeout `limit` in addition to the
// resolver's time, or until `over`, which is called ten times a second, returns true. Returns
// nullopt when none accepted.
std::optional<MailConnection> connect_to_mail(const std::string& host, int port,
                                              std::chrono::milliseconds limit,
                                              const std::function<bool()>& over);

}  // namespace healthcheckd::master
