// The only process that speaks XML-RPC: asks supervisord for the program table, stops and starts. Link.
#pragma once

#include "common/config/config.h"
#include "common/sandbox/sandbox.h"

#include <optional>
#include <sys/types.h>

namespace healthcheckd::master {

struct Endpoint;

// What the link to `endpoint` may do, as `user`.
SandboxProfile link_profile(const Endpoint& endpoint, const ChildUser& user);

// The life of the link, with kControlFd and kReportFd open: connects nothing until called, answers calls of
// the master on kControlFd (answers go to kReportFd) and of actions on the sockets that `peer` lines bring
// (answers go to the same socket). One connection for each call, closed after it. Each call has its own time
// limit, so that a frozen supervisord costs one limit a call. Confines itself first. Returns the exit status.
//
// Over a unix socket a child of its own connects (see Connector), as the socket's owner; when the socket,
// seen for the first time later, turns out to be another user's, the link ends with `broken`: started again,
// its connector is that user.
//
// `user`: who it becomes. `seen`: the uid of the process that answered an earlier link of this life; nobody
// else is believed then.
int run_link(const Config& config, pid_t master, const ChildUser& user = {},
             std::optional<uid_t> seen = std::nullopt) noexcept;

}  // namespace healthcheckd::master
