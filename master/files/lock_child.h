// Opens lock files. Child for locks.
#pragma once

#include <string>
#include <vector>

namespace healthcheckd::master {

// The life of the child: for each path a packet on kControlFd, with the descriptor or with the reason why there is none.
// Returns the exit status.
int run_open_locks(const std::vector<std::string>& paths);

}  // namespace healthcheckd::master
