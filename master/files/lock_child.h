// Opens lock files, and looks for another healthcheckd where a lock cannot be taken. Child for locks.
#pragma once

#include <string>

namespace healthcheckd::master {

// The child's main function: sends one packet on kControlFd, with the descriptor of the lock file `path` or with the
// error. Returns the exit status.
int run_open_lock(const std::string& path);

// The exit statuses of run_look_at_socket().
enum SocketOutcome { kNobodyListens = 0, kSomebodyListens = 10 };

// The child's main function: connects to `socket`. Returns a SocketOutcome.
int run_look_at_socket(const std::string& socket);

}  // namespace healthcheckd::master
