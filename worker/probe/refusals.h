// Whose fault it is that no address of a host accepted a connection. Worker (http, tcp).
#pragma once

#include "worker/probe/probe.h"
#include "worker/probe/tcp_connect.h"

#include <chrono>
#include <vector>

namespace healthcheckd::worker {

// A server that refuses, does not answer within `limit` or cannot be reached is a failure. Unknown is what
// this machine could not do: no descriptor, memory, port or leave to connect. With several addresses it is
// enough that one was not tried for want of something, as what does not listen there may listen here; but
// where a path of this machine is barred (not allowed, or no address to connect from), the answer of another
// counts. `has_ipv6`: this machine is known to have an IPv6 address, so that EADDRNOTAVAIL means that ports
// are wanting there too; it is known of IPv4.
Finding judge_refusals(const std::vector<Refusal>& refusals, bool has_ipv6, std::chrono::milliseconds limit);

}  // namespace healthcheckd::worker
