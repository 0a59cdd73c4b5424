// Notices put into the spool by a short-lived child. Notice and action.
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

// The end of the log of the incident's program, for a failure of a program that supervisord has. `link` may
// be nullptr. Takes kLogTailLimit at most, and kLogFileLimit where the file has to be read; without an answer
// there is no tail, and `link` is set to nullptr, as the next question would wait as long.
LogTail log_tail(const Incident& incident, LinkClient*& link, const DiskWork& disk);

// Puts the notices of `incident` into the spool and tells the master of each (`spooled`) that or why not. The
// master counts them, this child's first is 0: `index` is that of the first here. Returns the next one.
std::uint32_t spool_notices(const Incident& incident, const LogTail& log, std::uint32_t index);

// The life of a child that does so for `incidents`, in this order. `link_fd`: a socket to the link, or -1.
// Returns the exit status.
int run_notices(const std::vector<Incident>& incidents, int link_fd);

}  // namespace healthcheckd::master
