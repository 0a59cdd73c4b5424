// The only process that speaks XML-RPC: reads supervisord's program table, stops and starts programs. Link.
#pragma once

#include "common/config/config.h"
#include "common/sandbox/sandbox.h"

#include <optional>
#include <sys/types.h>

namespace healthcheckd::master {

struct Endpoint;

// Returns the privileges of the link to `endpoint`, running as `user`.
SandboxProfile link_profile(const Endpoint& endpoint, const ChildUser& user);

// The main function of the link, with kControlFd and kReportFd open. Confines itself first. Connects only for
// a call: calls of the master come over kControlFd (answered on kReportFd), those of actions over the sockets
// that `peer` messages bring (answered on the same socket). Uses one connection for each call. Each call has
// its own timeout, so that a frozen supervisord costs one timeout for each call. Returns the exit status.
//
// For a unix socket, a child connects (see Connector), as the socket's owner. When the socket was missing at
// first and turns out to belong to another user, the link ends with `broken`: after the restart the
// connector runs as that user.
//
// `user`: the user to change to. `seen`: the uid of the process that answered an earlier link of this run;
// no other is accepted then.
int run_link(const Config& config, pid_t master, const ChildUser& user = {},
             std::optional<uid_t> seen = std::nullopt) noexcept;

}  // namespace healthcheckd::master
