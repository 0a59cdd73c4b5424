// The texts of /proc that probes measure by (proc(5)). Worker.
//
// All parsers take exact field names and whole numbers: a text that is not as expected gives nullopt, never a
// wrong number.
#pragma once

#include "common/system/result.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace healthcheckd {

// The start of a file's text, at most the buffer's size, read at offset 0: a file of /proc is made anew for
// each such read. ESRCH when it belonged to a process that is gone.
Result<std::string_view> read_text(int fd, std::span<char> buffer);
Result<std::string_view> read_text(const std::string& path, std::span<char> buffer);
// The file `name` in `folder`.
Result<std::string_view> read_text_at(int folder, const char* name, std::span<char> buffer);

// Field 2 of /proc/PID/statm, in pages. 0 for a process that has ended but is not reaped yet.
std::optional<std::uint64_t> resident_pages(std::string_view statm);

// The number in the line `name: N kB` of smaps_rollup or meminfo; `name` without its colon.
std::optional<std::uint64_t> kilobytes(std::string_view text, std::string_view name);

// Time of all processors together since boot, in clock ticks, from the first line of /proc/stat. Busy is all
// but idle and iowait; guest time is not added, it is within user time already.
struct MachineTicks {
    std::uint64_t busy = 0;
    std::uint64_t total = 0;
};
std::optional<MachineTicks> machine_ticks(std::string_view stat);

// Of /proc/PID/status, which no lock that a process can hold keeps from being read; unlike stat, cmdline and
// all that is about its memory.
struct StatusIds {
    pid_t thread_group = 0;  // the process; differs from PID when that is a thread
    pid_t parent = 0;
    uid_t real_uid = 0;
    uid_t effective_uid = 0;
};
std::optional<StatusIds> status_ids(std::string_view status);

}  // namespace healthcheckd
