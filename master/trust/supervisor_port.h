// Checks whether a process is the supervisord that listens at a TCP port of this machine. Action.
#pragma once

#include "common/system/result.h"
#include "master/trust/supervisor_owner.h"

#include <cstdint>
#include <sys/types.h>

namespace healthcheckd::master {

// Returns whether process `pid` has a socket that listens at `port`, at any address. Fails with EACCES or
// EPERM when its descriptors cannot be read from here.
Result<bool> holds_listener(pid_t pid, std::uint16_t port);

// Checks that `parent` holds a socket that listens at `port`, at any address, and belongs to a user that
// `rule` accepts. Where its descriptors cannot be read, it is enough that a socket of its user listens there,
// except for process 1. The error says why not, or why it is unknown. Makes no connection.
Result<void> check_supervisor_port(pid_t parent, std::uint16_t port, const OwnerRule& rule);

}  // namespace healthcheckd::master
