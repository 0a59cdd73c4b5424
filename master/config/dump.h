// The effective configuration as YAML (option -T). Command line.
#pragma once

#include "common/config/config.h"

#include <string>

namespace healthcheckd::master {

// Every key with its effective value; secrets as ********. Loads again without a complaint other than the
// masks.
std::string dump_config(const Config& config);

}  // namespace healthcheckd::master
