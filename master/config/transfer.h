// Passes a loaded configuration through shared memory, from the child that parsed it to the master, and on to the
// nursery. Configuration child, master and nursery.
#pragma once

#include "common/config/config.h"
#include "common/system/result.h"

#include <span>

namespace healthcheckd::master {

// Encodes `loaded` into `area`; fails when it does not fit.
Result<void> pack_config(const LoadedConfig& loaded, std::span<char> area);

// As pack_config(), with what workers need: the cats with these indexes, without the keys of actions, and the keys of
// `config` that concern workers.
Result<void> pack_for_workers(const Config& config, std::span<const std::size_t> cats, std::span<char> area);

// Decodes the result of pack_config() or pack_for_workers(). Strict: fails for any malformed data. Copies secrets from `area`
// directly into the SecretStore of the new Config, never to the heap.
Result<LoadedConfig> unpack_config(std::span<const char> area);

}  // namespace healthcheckd::master
