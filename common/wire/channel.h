// Sends and receives lines, and descriptors with them, over kControlFd and kReportFd. Every process.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace healthcheckd {

// Sends one line as one packet, with the descriptor `attached` (-1: none) as SCM_RIGHTS (unix(7)). Does not
// block. Fails with EAGAIN when the socket's buffer is full, and with EMSGSIZE for an empty line, which a
// LineWriter returns on overflow: the peer would read an empty packet as the end of the stream.
Result<void> send_packet(int socket, std::string_view line, int attached = -1);

// The most descriptors that one packet carries.
inline constexpr std::size_t kMostAttached = 4;

// As above, with several descriptors. Fails with EMSGSIZE for more than kMostAttached.
Result<void> send_packet(int socket, std::string_view line, std::span<const int> attached);

struct Packet {
    std::string line;   // without its newline
    UniqueFd attached;  // empty when none was sent
};

// Waits for one packet. Returns nullopt when the peer has closed its end. Fails with ETIMEDOUT after the
// timeout `limit` (negative: none), and with EMSGSIZE when the packet is longer than a line or carries more
// than one descriptor.
Result<std::optional<Packet>> receive_packet(int socket, std::chrono::milliseconds limit);

// As above, for a packet with up to `attached.size()` descriptors, which it moves there.
Result<std::optional<std::string>> receive_packet(int socket, std::chrono::milliseconds limit,
                                                  std::span<UniqueFd> attached);

// Writes one line to a pipe; blocks while the pipe is full. Fails with EPIPE when the read end is closed.
Result<void> write_line(int fd, std::string_view line);

// As receive_packet(), without blocking: fails with EAGAIN when no packet is waiting.
Result<std::optional<Packet>> receive_packet_now(int socket);

}  // namespace healthcheckd
