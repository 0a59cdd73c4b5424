// Reads and checks a configuration file. Configuration child.
#pragma once

#include <span>
#include <string>

namespace healthcheckd::master {

// The life of the child: reads `path` and leaves in `area`, which the master shares, what unpack_config() takes. Returns
// the exit status.
int run_load_config(const std::string& path, std::span<char> area);

}  // namespace healthcheckd::master
