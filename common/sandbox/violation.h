// The handler for system calls that the filter of a confined process denies. Every child.
#pragma once

#include "common/system/result.h"

#include <string_view>

namespace healthcheckd {

// The prefix of its message.
inline constexpr std::string_view kViolation = "sandbox violation: ";

// Installs the handler for the SIGSYS that SECCOMP_RET_TRAP raises (seccomp(2)). It writes one line to
// `report_fd` and then ends the process by SIGSYS or, with `keep_going`, makes the call return ENOSYS. A
// thread that blocks SIGSYS ends the process without a line.
Result<void> watch_violations(int report_fd, bool keep_going);

}  // namespace healthcheckd
