// Loads a YAML file into a Config and collects all diagnostics. Configuration child, and the command-line
// tests.
#pragma once

#include "common/config/config.h"

#include <string>

namespace healthcheckd::master {

// Reads and checks `path`. Never throws; a file that cannot be read or parsed gives a diagnostic. Limits: 1
// MB, 20 levels, 50,000 nodes, 200 diagnostics.
LoadedConfig load_config(const std::string& path);

// As load_config(), for a text in memory; `name` is the file name in diagnostics.
LoadedConfig parse_config(const std::string& text, const std::string& name);

}  // namespace healthcheckd::master
