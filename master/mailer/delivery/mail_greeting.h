// How we call ourselves to a mail server (RFC 5321, 4.1.1.1 and 4.1.3). Mailer.
//
// The full name of this host is what hostname(1) -f shows; a host that has only a short one is called by the
// address of the connection. libcurl wants the name before it connects, so that such a connection is made
// here.
#pragma once

#include "common/system/unique_fd.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <sys/socket.h>

namespace healthcheckd::master {

// gethostname(2) when it has a dot, else the canonical name that the resolver has for it; "" when neither is
// a full name that means this host elsewhere. May take as long as the resolver.
std::string full_host_name();

// "[192.0.2.1]" or "[IPv6:2001:db8::1]"; "" for any other family.
std::string address_literal(const sockaddr_storage& address);

struct MailConnection {
    UniqueFd socket;      // connected, non-blocking
    std::string literal;  // of our end
};

// Connects to the first address of `host` that takes the connection, within `limit` beside the time that the
// resolver needs, and until `over` says so, which is asked ten times a second. nullopt: none did.
std::optional<MailConnection> connect_to_mail(const std::string& host, int port,
                                              std::chrono::milliseconds limit,
                                              const std::function<bool()>& over);

}  // namespace healthcheckd::master
