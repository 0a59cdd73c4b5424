// Lines and descriptors over kControlFd and kReportFd. Every process.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace healthcheckd {

// Sends one line as one packet, with `attached` (-1: none) as SCM_RIGHTS (unix(7)). Does not wait: EAGAIN
// when the peer has not read what was sent before. EMSGSIZE for an empty line (what a LineWriter gives when
// something did not fit): the peer would take it for the end.
Result<void> send_packet(int socket, std::string_view line, int attached = -1);

struct Packet {
    std::string line;   // without its newline
    UniqueFd attached;  // empty when none was sent
};

// Waits for one packet. nullopt: the peer closed its end. Error ETIMEDOUT after `limit` (negative: no limit);
// EMSGSIZE when the packet is longer than a line or carries more than one descriptor.
Result<std::optional<Packet>> receive_packet(int socket, std::chrono::milliseconds limit);

// Writes one line to a pipe, waiting while it is full. EPIPE when nobody reads any more.
Result<void> write_line(int fd, std::string_view line);

// Receives what is there; does not wait. EAGAIN when nothing is.
Result<std::optional<Packet>> receive_packet_now(int socket);

}  // namespace healthcheckd
