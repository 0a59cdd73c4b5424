// From a YAML file to a Config: every complaint at once. Configuration child, and the command-line tests.
#pragma once

#include "common/config/config.h"

#include <string>

namespace healthcheckd::master {

// Reads and checks `path`. Never throws; a file that cannot be read or parsed is a diagnostic too. Bounded: 1
// MB, 20 levels, 50,000 nodes, 200 diagnostics.
LoadedConfig load_config(const std::string& path);

// The same for a text that is already there; `name` stands in the diagnostics.
LoadedConfig parse_config(const std::string& text, const std::string& name);

}  // namespace healthcheckd::master
