// TCP connections: to the first of several addresses that accepts, with the reason for each of the others;
// and ended without leaving a trace in TIME_WAIT. Worker (http, tcp).
#pragma once

#include "common/system/unique_fd.h"

#include <chrono>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace healthcheckd::worker {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

// Returns whether `host` is localhost or an IPv4 or IPv6 address (with or without brackets and interface),
// for which no name service is used. Opens nothing.
bool is_address(const std::string& host);

// Returns the addresses of `host` if it is an IPv4 or IPv6 address (with or without brackets), or
// `localhost`: both loopback addresses, which that name always means (RFC 6761, section 6.3). Returns none
// for any other name, and for an interface that does not exist. `port`: 1 to 65535.
std::vector<SocketAddress> fixed_addresses(const std::string& host, int port);

// Why the connection to one address failed.
struct Refusal {
    int family = AF_UNSPEC;
    int error = 0;  // errno: ETIMEDOUT when nothing answered; ECONNREFUSED also for a connection to itself
    bool no_socket = false;  // this machine could not create a socket
};

struct Connection {
    UniqueFd fd;                    // non-blocking; empty: no address accepted
    int family = AF_UNSPEC;         // of the address that accepted
    std::vector<Refusal> refusals;  // of the other addresses, in the order in which they failed
};

// Connects to the first of `addresses`, at most 16, that accepts: goes on to the next one when the previous
// one has failed, or has not answered for 250 ms, and alternates between the families (RFC 8305). An address
// that accepts and resets at once has accepted. At `deadline`, addresses without an answer get ETIMEDOUT.
Connection connect_first(const std::vector<SocketAddress>& addresses,
                         std::chrono::steady_clock::time_point deadline);

// Connection states (TCP_INFO; the kernel's include/net/tcp_states.h).
enum class TcpState : std::uint8_t { established = 1, close_wait = 8 };
// Returns the state of a connection; `established` when it cannot be determined.
TcpState tcp_state(int fd);

// Ends a connection so that neither side keeps it in TIME_WAIT, which would soon use up this machine's ports:
// sends FIN, and resets the connection once the other side has acknowledged it (tcp(7), TCP_LINGER2). If the
// other side has sent its FIN already, only resets.
void end_connection(UniqueFd connection);

}  // namespace healthcheckd::worker
