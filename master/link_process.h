// The only process that speaks XML-RPC: asks supervisord for the program table, stops and starts. Link.
#pragma once

#include "common/config.h"

#include <sys/types.h>

namespace healthcheckd::master {

// The life of the link, with kControlFd and kReportFd open: connects nothing until called, answers calls of
// the master on kControlFd (answers go to kReportFd) and of actions on the sockets that `peer` lines bring
// (answers go to the same socket). One connection for each call, closed after it. Each call has its own time
// limit, so that a frozen supervisord costs one limit a call. Confines itself first. Returns the exit status.
//
// Over a unix socket it runs as the socket's owner, so it ends with `broken` when the socket, seen for the
// first time later, turns out to be another user's: started again, it is that user.
int run_link(const Config& config, pid_t master) noexcept;

}  // namespace healthcheckd::master
