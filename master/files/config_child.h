// Reads and checks a configuration file. Configuration child.
#pragma once

#include <span>
#include <string>

namespace healthcheckd::master {

// The child's main function: reads `path` and writes what unpack_config() takes to `area`, which the master shares.
// Returns the exit status.
int run_load_config(const std::string& path, std::span<char> area);

}  // namespace healthcheckd::master
