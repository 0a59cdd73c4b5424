// The addresses of a host name, by the C library's resolver in a thread, and why there are none. Worker
// (http, tcp).
#pragma once

#include "worker/probe/tcp_connect.h"

#include <chrono>
#include <string>
#include <vector>

namespace healthcheckd::worker {

struct Lookup {
    enum class Outcome {
        found,
        no_such_name,  // the name service says so
        not_in_time,
        trouble  // the name service, or this machine, has no answer
    };
    Outcome outcome = Outcome::trouble;
    std::string reason;                    // of trouble
    std::vector<SocketAddress> addresses;  // in the order of RFC 6724; of found at least one
};

// Asks for `host`; `port` (1 to 65535) becomes part of the addresses. Comes back at `deadline`; the thread,
// which nothing can end, then goes on until the limits of resolv.conf(5), and its answer is dropped. That no
// thread is to be had is trouble.
Lookup look_up(const std::string& host, int port, std::chrono::steady_clock::time_point deadline);

}  // namespace healthcheckd::worker
