// The user whose process is at the other end of a TCP connection, if that is on this machine. Link.
//
// Queries the kernel through sock_diag(7) for exactly the socket at the other end: one message each way,
// however many sockets there are. On a kernel without sock_diag for TCP, reads /proc/net/tcp (TcpTable).
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"
#include "master/trust/tcp_table.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

namespace healthcheckd::master {

// A connection seen from this end; addresses as text, without zone.
struct TcpEnds {
    std::string local_address;
    std::uint16_t local_port = 0;
    std::string remote_address;
    std::uint16_t remote_port = 0;
};

struct TcpOwner {
    enum class Kind {
        known,       // `uid` owns it
        waiting,     // no process has accepted the connection yet: the kernel then shows no owner
        not_here,    // no socket of this machine, as far as this network namespace shows
        not_to_say,  // the kernel does not tell; see `why`
    };
    Kind kind = Kind::not_to_say;
    uid_t uid = 0;
    std::string why;
};

class TcpOwners {
public:
    // Opens what later queries need, since a confined process may not.
    TcpOwners();
    // For a kernel without sock_diag.
    explicit TcpOwners(TcpTable table) : table_(std::move(table)) {}

    // Blocks only for the kernel's answer, at most about 4 s.
    TcpOwner other_end(const TcpEnds& ends) const;
    // As above, repeated until a process has accepted the connection, or until `deadline`.
    TcpOwner other_end(const TcpEnds& ends, std::chrono::steady_clock::time_point deadline) const;

private:
    // Fails when sock_diag is not available.
    Result<TcpOwner> by_diag(const TcpEnd& own, const TcpEnd& other) const;
    TcpOwner by_table(const TcpEnd& own, const TcpEnd& other) const;

    UniqueFd socket_;
    TcpTable table_;
};

// Returns whether the other end must be on this machine: its address is in 127.0.0.0/8, or
// equals the address of this end.
bool is_this_machine(const TcpEnds& ends);

}  // namespace healthcheckd::master
