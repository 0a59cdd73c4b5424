// Whose process is at the other end of a TCP connection, when that is on this machine. Link.
//
// The kernel is asked by sock_diag(7) for exactly the socket that is the other end: one message each way,
// however many sockets there are. A kernel that has no sock_diag of TCP is asked by /proc/net/tcp (TcpTable).
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

// One connection as this end sees it; addresses as text, without zone.
struct TcpEnds {
    std::string local_address;
    std::uint16_t local_port = 0;
    std::string remote_address;
    std::uint16_t remote_port = 0;
};

struct TcpOwner {
    enum class Kind {
        known,       // `uid` has it
        waiting,     // nobody has accepted the connection yet: the kernel then shows no owner
        not_here,    // no socket of this machine, as far as this network namespace shows
        not_to_say,  // the kernel does not tell: `why`
    };
    Kind kind = Kind::not_to_say;
    uid_t uid = 0;
    std::string why;
};

class TcpOwners {
public:
    // Opens that by which the kernel is asked, for later: a confined process may not.
    TcpOwners();
    // Of a kernel without sock_diag.
    explicit TcpOwners(TcpTable table) : table_(std::move(table)) {}

    // Waits for the answer of the kernel only, at most about 4 s.
    TcpOwner other_end(const TcpEnds& ends) const;
    // The same, asked again until somebody has accepted the connection, or `deadline`.
    TcpOwner other_end(const TcpEnds& ends, std::chrono::steady_clock::time_point deadline) const;

private:
    // Error: sock_diag is not to be had.
    Result<TcpOwner> by_diag(const TcpEnd& own, const TcpEnd& other) const;
    TcpOwner by_table(const TcpEnd& own, const TcpEnd& other) const;

    UniqueFd socket_;
    TcpTable table_;
};

// Must the other end be on this machine, by its address? So it is for a loopback address, and for one that
// the kernel connects to from itself.
bool is_this_machine(const TcpEnds& ends);

}  // namespace healthcheckd::master
