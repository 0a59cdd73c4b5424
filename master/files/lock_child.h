// Opens lock files. Child for locks.
#pragma once

#include <string>
#include <vector>

namespace healthcheckd::master {

// The child's main function: sends one packet on kControlFd for each path, with the descriptor or with the error.
// Returns the exit status.
int run_open_locks(const std::vector<std::string>& paths);

}  // namespace healthcheckd::master
