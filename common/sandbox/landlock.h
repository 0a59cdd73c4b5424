// The Landlock layer of a sandbox: the files and ports that the process can still reach. Every child.
#pragma once

#include "common/sandbox/sandbox.h"
#include "common/system/result.h"

#include <string>
#include <vector>

namespace healthcheckd {

// The ABIs from which on TCP ports (Linux 6.7), and signals and abstract unix sockets (6.12), end at the sandbox.
inline constexpr int kLandlockPorts = 4;
inline constexpr int kLandlockScopes = 6;

// Returns the kernel's Landlock ABI, 1 and up; 0 when it has none or Landlock is disabled (landlock(7)).
int landlock_abi();
// The same, at most that of the profile.
int landlock_abi(const SandboxProfile& profile);

// Denies every file, TCP port and (from ABI 6 on) process outside the sandbox that `profile` does not name.
// Requires no_new_privs. Ignores paths of the profile that do not exist. Appends to `missing` what this
// kernel cannot restrict.
Result<void> enter_landlock(const SandboxProfile& profile, std::vector<std::string>& missing);

}  // namespace healthcheckd
