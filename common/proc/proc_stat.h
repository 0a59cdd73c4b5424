// /proc/PID/stat: the name, CPU time and start time of a process. Every process.
#pragma once

#include "common/system/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace healthcheckd {

// The fields that healthcheckd uses (proc(5)); times are in clock ticks, sysconf(_SC_CLK_TCK) for a second.
struct ProcStat {
    std::string comm;               // 2: at most 15 bytes, chosen by the process, with any content
    char state = '?';               // 3: R, S, D, Z, T, ...
    pid_t ppid = 0;                 // 4
    std::uint64_t utime = 0;        // 14: time in user mode
    std::uint64_t stime = 0;        // 15: time in kernel mode
    std::uint64_t start_ticks = 0;  // 22: since boot
};

// Parses the text of the file. Returns nullopt when it is not as described in proc(5).
std::optional<ProcStat> parse_proc_stat(std::string_view text);

// Reads /proc/PID/stat. Fails with ENOENT or ESRCH when there is no such process, and with EPROTO when
// the text cannot be parsed.
Result<ProcStat> read_proc_stat(pid_t pid);

// Returns the start time of `pid`; fails as read_proc_stat().
Result<std::uint64_t> start_ticks_of(pid_t pid);

}  // namespace healthcheckd
