// The effective configuration as YAML (option -T). Command line.
#pragma once

#include "common/config/config.h"

#include <string>

namespace healthcheckd::master {

// Returns every key with its effective value, and secrets as ********. Loading the text again gives no
// diagnostics except about the masks.
std::string dump_config(const Config& config);

}  // namespace healthcheckd::master
