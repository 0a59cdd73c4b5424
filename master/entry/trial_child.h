// A process that is confined and ends. Trial child.
#pragma once

#include "common/sandbox/sandbox.h"

namespace healthcheckd::master {

// The child's main function. Writes a `broken` line with the step that failed; returns the exit status.
int run_trial(SandboxLevel level, const ChildUser& user, pid_t master);

}  // namespace healthcheckd::master
