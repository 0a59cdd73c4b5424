// Writing notices into the spool, in a short-lived child. Notice and action.
#pragma once

#include "master/files/disk_work.h"
#include "master/notice/incident.h"
#include "master/notice/notice.h"
#include "master/supervisord/link_client.h"

#include <chrono>
#include <cstdint>
#include <vector>

namespace healthcheckd::master {

inline constexpr std::chrono::milliseconds kLogTailLimit{3'000};
inline constexpr std::chrono::milliseconds kLogFileLimit{1'000};

// Returns the end of the log of the incident's program, for a failure of a program that supervisord has.
// `link` may be nullptr. Takes at most kLogTailLimit, and kLogFileLimit where the file has to be read. After
// a call without an answer, sets `link` to nullptr, since the next call would take as long.
LogTail log_tail(const Incident& incident, LinkClient*& link, const DiskWork& disk);

// Writes the notices of `incident` into the spool and reports the result of each to the master (`spooled`).
// `index`: the number of the first one, counted from 0 in each child. Returns the number of the next one.
std::uint32_t spool_notices(const Incident& incident, const LogTail& log, std::uint32_t index);

// The main function of the child that spools the notices of `incidents`, in this order. `link_fd`: a socket
// to the link, or -1. Returns the exit status.
int run_notices(const std::vector<Incident>& incidents, int link_fd);

}  // namespace healthcheckd::master
