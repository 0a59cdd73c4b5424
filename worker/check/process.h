// The common part of the types that measure a process, or the whole machine, through files in
// /proc. Master and worker.
#pragma once

#include "common/config/config.h"
#include "common/sandbox/sandbox.h"
#include "common/wire/protocol_worker.h"

#include <string>
#include <string_view>

namespace healthcheckd {

// Address space of a worker without curl and threads, in bytes.
inline constexpr rlim_t kSmallAddressSpace = 256u << 20;

// Returns how the cat finds its process: " supervisor /path".
std::string process_of(const CatConfig& cat);

// CheckType::objection of these types: the verdict must be failure exactly when the value has reached the
// limit.
std::string_view objection_by_value(const Report& report, const ProbeCommand& asked);

// No network and no threads; opening files only if the worker itself finds the process.
SandboxProfile measuring_profile(const CatConfig& cat);

}  // namespace healthcheckd
