// How strictly children are confined. Every process.
#pragma once

#include <cstdint>

namespace healthcheckd {

enum class SandboxLevel : std::uint8_t { strict, log, off };

}  // namespace healthcheckd
