// /proc/PID/stat: what a process is called, how much it worked, and when it started. Every process.
#pragma once

#include "common/system/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace healthcheckd {

// The fields that healthcheckd uses (proc(5)); times are in clock ticks, sysconf(_SC_CLK_TCK) a second.
struct ProcStat {
    std::string comm;               // 2: at most 15 bytes, chosen by the process, may hold anything
    char state = '?';               // 3: R, S, D, Z, T, ...
    pid_t ppid = 0;                 // 4
    std::uint64_t utime = 0;        // 14: time in user mode
    std::uint64_t stime = 0;        // 15: time in kernel mode
    std::uint64_t start_ticks = 0;  // 22: since boot
};

// Takes the text of the file apart. nullopt when it is not what proc(5) says, so that a surprise is never
// taken for a number.
std::optional<ProcStat> parse_proc_stat(std::string_view text);

// Reads /proc/PID/stat. ENOENT or ESRCH when there is no such process, EPROTO when the kernel's text is not
// understood.
Result<ProcStat> read_proc_stat(pid_t pid);

// The start time of `pid`; fails as read_proc_stat() does.
Result<std::uint64_t> start_ticks_of(pid_t pid);

}  // namespace healthcheckd
