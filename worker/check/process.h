// What types of check that measure a process, or the whole machine, by files of /proc have in common. Master and
// worker.
#pragma once

#include "common/config/config.h"
#include "common/sandbox/sandbox.h"
#include "common/wire/protocol.h"

#include <string>
#include <string_view>

namespace healthcheckd {

// Address space of a worker without curl and threads, in bytes.
inline constexpr rlim_t kSmallAddressSpace = 256u << 20;

// How its process is found: " supervisor /path".
std::string process_of(const CatConfig& cat);

// Failure must come exactly with a value that has reached the limit (CheckType::objection).
std::string_view objection_by_value(const Report& report, const ProbeCommand& asked);

// No network, no threads; files only where the worker itself has to look for the process.
SandboxProfile measuring_profile(const CatConfig& cat);

}  // namespace healthcheckd
