// The Landlock layer of a sandbox: which files and ports the process may still reach. Every child.
#pragma once

#include "common/sandbox/sandbox.h"
#include "common/system/result.h"

#include <string>
#include <vector>

namespace healthcheckd {

// The kernel's Landlock ABI, 1 and up; 0 when it has none or it is switched off (landlock(7)).
int landlock_abi();

// Denies every file, TCP port and (with ABI 6) outside process that `profile` does not name. Dependencies
// no_new_privs. A path of the profile that does not exist is left out. Appends to `missing` what this kernel
// cannot restrict.
Result<void> enter_landlock(const SandboxProfile& profile, std::vector<std::string>& missing);

}  // namespace healthcheckd
