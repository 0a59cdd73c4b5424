// The owner of a TCP connection by /proc/net/tcp and tcp6, for a kernel without sock_diag for TCP. Link.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"

#include <array>
#include <cstdint>
#include <optional>
#include <sys/types.h>

namespace healthcheckd::master {

// One end of a connection: an address in network order (AF_INET: the first 4 bytes) and a port.
struct TcpEnd {
    int family = 0;
    std::array<std::uint8_t, 16> bytes{};
    std::uint16_t port = 0;

    bool operator==(const TcpEnd&) const = default;
};

// One line of the table (the kernel's Documentation/networking/proc_net_tcp.rst).
struct TcpRow {
    unsigned state = 0;
    uid_t uid = 0;
    std::uint64_t inode = 0;  // 0: not accepted, or closed
};

class TcpTable {
public:
    // Opens both files for later, since a confined process may not.
    TcpTable();

    // Returns the socket whose own end is `own` and whose peer is `other`; nullopt: there is none.
    // Reads the files from the beginning, up to 200,000 sockets and for 2 s; fails beyond that, and
    // when there is no such file.
    Result<std::optional<TcpRow>> find(const TcpEnd& own, const TcpEnd& other) const;

private:
    std::array<UniqueFd, 2> files_;  // IPv4; IPv6, which also has the IPv4 connections of IPv6 sockets
};

}  // namespace healthcheckd::master
