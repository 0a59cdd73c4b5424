// Connects to a host and port: resolves the name if there is one, and decides whether an error is the
// server's or this machine's. Worker (http, tcp).
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
    UniqueFd fd;      // non-blocking
    Finding finding;  // when there is no connection
};

class Dialer {
public:
    // Call before confinement.
    Dialer(std::string host, int port, std::chrono::milliseconds timeout);

    // Resolves the name and connects until `deadline`. Throws std::runtime_error when a name has no address
    // and the resolver's files were replaced, so that a newly confined worker can read the new ones.
    //
    // A name that does not exist is a failure: the check's target, as configured, does not answer. An error
    // of the name service or of this machine is unknown. judge_refusals() judges failed connections.
    Dialled dial(std::chrono::steady_clock::time_point deadline);

private:
    Finding unnamed(std::string reason) const;
    std::vector<SocketAddress> addresses(std::chrono::steady_clock::time_point deadline, Finding& finding);

    const std::string host_;
    const int port_;
    const std::chrono::milliseconds timeout_;
    std::vector<SocketAddress> fixed_;  // empty: a name
    std::optional<Resolver> resolver_;  // for names only
    bool has_ipv6_ = false;             // known from an earlier connection
};

}  // namespace healthcheckd::worker
