// The seccomp layer of a sandbox: the system calls that the process can still make. Every child.
//
// A system call that no table in seccomp.cc names raises SIGSYS. The handler of common/sandbox/violation.h
// reports its name before the process ends. The handler cannot be replaced: rt_sigaction(2) for SIGSYS kills
// the process at once.
#pragma once

#include "common/sandbox/sandbox.h"
#include "common/system/result.h"

#include <linux/filter.h>
#include <vector>

namespace healthcheckd {

// A build with AddressSanitizer gets no RLIMIT_AS and no seccomp filter: its run-time library reserves
// terabytes of address space and makes system calls of its own (clone, ptrace, open) at any time.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// Returns whether this kernel supports seccomp filters (seccomp(2)) and this build can run under one.
bool seccomp_available();

// A filter for the kernel, with a placeholder for the pid of the process that loads it.
struct SeccompProgram {
    std::vector<sock_filter> code;
};

// Compiles the filter of `profile`. This takes milliseconds and dirties dozens of pages of memory, so a
// parent of many children of one kind compiles it once and passes it on in SandboxProfile::filter.
Result<SeccompProgram> compile_seccomp(const SandboxProfile& profile);

// Loads the filter of `profile` for all threads; compiles it first if necessary. Requires no_new_privs and
// watch_violations(), which installs the handler for denied system calls.
Result<void> enter_seccomp(const SandboxProfile& profile);

}  // namespace healthcheckd
