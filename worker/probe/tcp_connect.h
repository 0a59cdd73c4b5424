// TCP connections: made to the first of several addresses that accepts, with what each of the others said,
// and ended so that nothing of them stays. Worker (http, tcp).
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

// Whether `host` is localhost or an IPv4 or IPv6 address (with or without brackets and interface), which no
// name service is asked for, here or by libcurl. Opens nothing.
bool is_address(const std::string& host);

// The addresses of `host` when it is an IPv4 or IPv6 address (with or without brackets), or `localhost`: both
// of the loopback, which that name always means (RFC 6761, section 6.3). Empty for any other name, and for an
// interface that is not there. `port`: 1 to 65535.
std::vector<SocketAddress> fixed_addresses(const std::string& host, int port);

// Why there is no connection to one address.
struct Refusal {
    int family = AF_UNSPEC;
    int error = 0;           // errno: ETIMEDOUT when nothing answered, ECONNREFUSED also when it met itself
    bool no_socket = false;  // this machine had no socket to connect with
};

struct Connection {
    UniqueFd fd;                    // does not block; none: no address accepted
    int family = AF_UNSPEC;         // of the address that did
    std::vector<Refusal> refusals;  // of the addresses that did not, in the order of their ends
};

// Connects to the first of `addresses` that accepts, at most 16 of them: to the next one when the one before
// has failed, or has not answered for a quarter of a second, with both families in turn (RFC 8305). One that
// accepted and was reset at once counts: it has accepted. At `deadline` those without an answer are
// ETIMEDOUT.
Connection connect_first(const std::vector<SocketAddress>& addresses,
                         std::chrono::steady_clock::time_point deadline);

// States of a connection (TCP_INFO; the kernel's include/net/tcp_states.h).
enum class TcpState : std::uint8_t { established = 1, closed = 7, close_wait = 8 };
// The state of a connection; established when it cannot be asked for.
TcpState tcp_state(int fd);

// Whether the other side has reset a connection. What it had sent can be read.
bool is_reset(int fd);

// Ends a connection so that neither side keeps it in TIME_WAIT, for which this machine would soon have no
// port left: the other side reads its end (FIN), and when it has acknowledged that, it is reset (tcp(7),
// TCP_LINGER2). If the other side has ended it already, it is only reset.
void end_connection(UniqueFd connection);
// The same for a descriptor that stays open, of somebody else; what it does with it fails from here on.
void cut_connection(int fd);

}  // namespace healthcheckd::worker
