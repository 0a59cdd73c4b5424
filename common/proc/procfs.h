// The files in /proc that probes use (proc(5)). Worker.
//
// All parsers accept exact field names and whole numbers only: they return nullopt for unexpected
// text, never a wrong number.
#pragma once

#include "common/system/result.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace healthcheckd {

// Reads the beginning of a file, at most the buffer's size, at offset 0: a file in /proc is generated again
// for each such read. Fails with ESRCH when its process has ended.
Result<std::string_view> read_text(int fd, std::span<char> buffer);
Result<std::string_view> read_text(const std::string& path, std::span<char> buffer);
// Reads the file `name` in `folder`.
Result<std::string_view> read_text_at(int folder, const char* name, std::span<char> buffer);

// Returns field 2 of /proc/PID/statm, in pages; 0 for a zombie.
std::optional<std::uint64_t> resident_pages(std::string_view statm);

// Returns the number in the line `name: N kB` of smaps_rollup or meminfo; `name` without its colon.
std::optional<std::uint64_t> kilobytes(std::string_view text, std::string_view name);

// CPU time of the whole machine since boot, in clock ticks, from the first line of /proc/stat. `busy` is
// everything but idle and iowait; user time already includes guest time.
struct MachineTicks {
    std::uint64_t busy = 0;
    std::uint64_t total = 0;
};
std::optional<MachineTicks> machine_ticks(std::string_view stat);

// Ids from /proc/PID/status, which, unlike stat, cmdline and the files about memory, can be read without
// waiting for a lock that the process holds.
struct StatusIds {
    pid_t thread_group = 0;  // the pid of the process; differs from PID for a thread
    pid_t parent = 0;
    uid_t real_uid = 0;
    uid_t effective_uid = 0;
    // How many pid namespaces it is in, below that of this /proc and with it: 1, or more in a container there; 0: the text
    // does not say it, because it is cut off or the kernel has none.
    int pid_namespaces = 0;
};
std::optional<StatusIds> status_ids(std::string_view status);

}  // namespace healthcheckd
