// A worker's own log file: every probe with its value, limit and duration. Worker.
#pragma once

#include "common/log/log_line.h"
#include "common/system/result.h"
#include "common/system/unique_fd.h"
#include "common/wire/protocol_worker.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace healthcheckd::worker {

// Lines have the form of the daemon's log (log_line.h). Lines that cannot be written are dropped and counted:
// a full disk or a missing folder never keeps a worker from checking. The next line that can be written is
// preceded by their number. The first error is kept for the master. A disk that hangs does block the worker:
// the master then replaces it, and the next one gets no file until one can be written again (log_recovery.h).
class WorkerLog {
public:
    // `who`: the who_of() of a cat (log_line.h). The log wants to be rotated at `max_bytes` (0: never), and
    // again when it has had no new file for `patience`.
    WorkerLog(std::string who, LogFormat format, std::uint64_t max_bytes,
              std::chrono::milliseconds patience = std::chrono::minutes(1));

    // Opens `path` for appending and creates its folder (log_file.h). Call before confinement.
    void open(const std::string& path);

    // Continues in `file`, which the master opened after moving the old one away.
    void replace(UniqueFd file);

    void write(LogLevel level, std::string_view text, LogFields fields = {});

    // Logs a probe: its verdict, the measured value, and its duration.
    void note(const Report& report);

    // Returns true once when the file has reached its maximum size; again after replace(), or after
    // `patience`.
    bool wants_rotation();

    // Returns, once, the first reason why lines are lost ("write /x/cat1.log: No space left on device");
    // nullopt: there is none, or it was returned before.
    std::optional<std::string> take_failure();

private:
    bool put(std::string line);
    void failed(const Error& error);

    std::string who_;
    LogFormat format_;
    LogClock clock_;
    std::string path_;
    std::uint64_t max_bytes_;
    std::chrono::milliseconds patience_;
    UniqueFd file_;
    std::uint64_t size_ = 0;
    std::uint64_t dropped_ = 0;  // lines dropped since the last one that was written
    std::optional<std::chrono::steady_clock::time_point> asked_at_;
    std::string failure_;
    bool failure_taken_ = false;
    bool torn_ = false;  // the disk became full within the last line
};

}  // namespace healthcheckd::worker
