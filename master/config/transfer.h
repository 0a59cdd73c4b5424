// A loaded configuration as bytes in shared memory, from the child that parsed it to the master. Both.
#pragma once

#include "common/config/config.h"
#include "common/system/result.h"

#include <span>

namespace healthcheckd::master {

// Writes `loaded` into `area`; fails when it does not fit.
Result<void> pack_config(const LoadedConfig& loaded, std::span<char> area);

// The reverse. Strict: anything malformed is an error. Secrets go from `area` straight into the SecretStore
// of the new Config, never through the heap.
Result<LoadedConfig> unpack_config(std::span<const char> area);

}  // namespace healthcheckd::master
