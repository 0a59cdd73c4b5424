// Is a process the supervisord that listens at a TCP port of this machine? Action.
#pragma once

#include "common/system/result.h"
#include "master/trust/supervisor_owner.h"

#include <cstdint>
#include <sys/types.h>

namespace healthcheckd::master {

// Has process `pid` a socket open that listens at `port`, at whichever address? Error EACCES or EPERM when
// its descriptors cannot be read from here.
Result<bool> holds_listener(pid_t pid, std::uint16_t port);

// It is when it holds a socket that listens at `port`, at whichever address, and that belongs to somebody
// whom `rule` believes. Where its descriptors cannot be read it is enough that a socket of its own user
// listens there, unless it is process 1. The error says why not, or why that cannot be known. Connects to
// nobody.
Result<void> check_supervisor_port(pid_t parent, std::uint16_t port, const OwnerRule& rule);

}  // namespace healthcheckd::master
