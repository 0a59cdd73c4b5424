// Passes a loaded configuration through shared memory from the child that parsed it to the master.
// Configuration child and master.
#pragma once

#include "common/config/config.h"
#include "common/system/result.h"

#include <span>

namespace healthcheckd::master {

// Encodes `loaded` into `area`; fails when it does not fit.
Result<void> pack_config(const LoadedConfig& loaded, std::span<char> area);

// Decodes the result of pack_config(). Strict: fails for any malformed data. Copies secrets from `area`
// directly into the SecretStore of the new Config, never to the heap.
Result<LoadedConfig> unpack_config(std::span<const char> area);

}  // namespace healthcheckd::master
