// What happens when a confined process makes a system call that its filter does not allow. Every child.
#pragma once

#include "common/system/result.h"

#include <string_view>

namespace healthcheckd {

// How the message of that line begins.
inline constexpr std::string_view kViolation = "sandbox violation: ";

// Installs the handler of SIGSYS that seccomp(2) sends with SECCOMP_RET_TRAP. It writes one line to
// `report_fd`; then it ends the process by SIGSYS or, with `keep_going`, answers the call with ENOSYS. A
// thread that blocks SIGSYS ends the process by it without a line.
Result<void> watch_violations(int report_fd, bool keep_going);

}  // namespace healthcheckd
