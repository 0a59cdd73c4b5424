// Reaches a host and port: looks its name up if it has one, connects, and says whose fault it is
// when that fails. Worker (http, tcp).
#pragma once

#include "common/net/resolver.h"
#include "worker/probe/probe.h"
#include "worker/probe/tcp_connect.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::worker {

struct Dialled {
    UniqueFd fd;  // the connection, which does not block
    int family = AF_UNSPEC;
    Finding finding;  // when there is none
};

class Dialer {
public:
    // Before confinement.
    Dialer(std::string host, int port, std::chrono::milliseconds timeout);

    // Looks up and connects until `deadline`. Throws std::runtime_error when a name has no address and the
    // resolver's files were replaced, so that a newly confined worker can read them.
    //
    // A name that does not exist is a failure: as configured, the check's target does not answer. Unknown is
    // what the name service or this machine could not do about it. Of connections judges judge_refusals().
    Dialled dial(std::chrono::steady_clock::time_point deadline);

private:
    Finding unnamed(std::string reason) const;
    std::vector<SocketAddress> addresses(std::chrono::steady_clock::time_point deadline, Finding& finding);

    const std::string host_;
    const int port_;
    const std::chrono::milliseconds timeout_;
    std::vector<SocketAddress> fixed_;  // empty: a name
    std::optional<Resolver> resolver_;  // for names only
    bool has_ipv6_ = false;             // known by an earlier connection
};

}  // namespace healthcheckd::worker
