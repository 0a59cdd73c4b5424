// Resolving a host name with the C library's resolver, in a thread. Worker (http, tcp).
#pragma once

#include "worker/probe/tcp_connect.h"

#include <chrono>
#include <string>
#include <vector>

namespace healthcheckd::worker {

struct Lookup {
    enum class Outcome {
        found,
        no_such_name,  // the name service says that it does not exist
        not_in_time,
        trouble  // an error of the name service or of this machine
    };
    Outcome outcome = Outcome::trouble;
    std::string reason;                    // for trouble
    std::vector<SocketAddress> addresses;  // in the order of RFC 6724; at least one for found
};

// Resolves `host`; `port` (1 to 65535) becomes part of the addresses. Returns at `deadline`; the thread,
// which cannot be ended, then continues up to the timeouts of resolv.conf(5), and its result is dropped.
// Returns trouble when no thread can be started.
Lookup look_up(const std::string& host, int port, std::chrono::steady_clock::time_point deadline);

}  // namespace healthcheckd::worker
