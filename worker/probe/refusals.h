// Judges why no address of a host accepted a connection. Worker (http, tcp).
#pragma once

#include "worker/probe/probe.h"
#include "worker/probe/tcp_connect.h"

#include <chrono>
#include <vector>

namespace healthcheckd::worker {

// A server that refuses, does not answer within `limit` or is unreachable is a failure; an error of this
// machine (no descriptor, memory, port or permission to connect) is unknown. With several addresses, one that
// could not be tried for lack of a resource makes the result unknown, since the program may listen there; but
// if a path is barred on this machine (not permitted, or no local address), the result of another address
// counts. `has_ipv6`: this machine is known to have an IPv6 address, so that EADDRNOTAVAIL means a lack of
// ports for IPv6, as it always does for IPv4.
Finding judge_refusals(const std::vector<Refusal>& refusals, bool has_ipv6, std::chrono::milliseconds limit);

}  // namespace healthcheckd::worker
