// The seccomp layer of a sandbox: which system calls the process may still make. Every child.
//
// Every call that a table of seccomp.cc does not name raises SIGSYS. The handler of
// common/sandbox/violation.h then names the call before the process ends, so each such death says what to
// look for; and the handler cannot be replaced, since rt_sigaction for SIGSYS kills at once.
#pragma once

#include "common/sandbox/sandbox.h"
#include "common/system/result.h"

#include <linux/filter.h>
#include <vector>

namespace healthcheckd {

// A build with AddressSanitizer: its run-time library reserves terabytes of address space and makes system
// calls of its own (clone, ptrace, open) whenever it likes, so it gets no RLIMIT_AS and no seccomp filter.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// Whether this kernel has seccomp filters (seccomp(2)) and this build can live under one.
bool seccomp_available();

// A filter as the kernel takes it, with a place that is filled with the pid of the process that loads it.
struct SeccompProgram {
    std::vector<sock_filter> code;
};

// The filter of `profile`. Making one takes milliseconds and dirties dozens of pages of memory: a parent of
// many children of one kind compiles it once and hands it down in SandboxProfile::filter.
Result<SeccompProgram> compile_seccomp(const SandboxProfile& profile);

// Loads the filter of `profile`, for every thread, compiling it first if need be. Dependencies no_new_privs and
// watch_violations(), which decides what becomes of a call that is not allowed.
Result<void> enter_seccomp(const SandboxProfile& profile);

}  // namespace healthcheckd
