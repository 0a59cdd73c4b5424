// A worker's own log file: every probe with its value, limit and duration. Worker.
#pragma once

#include "common/log/log_line.h"
#include "common/system/result.h"
#include "common/system/unique_fd.h"
#include "common/wire/protocol.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace healthcheckd::worker {

// Lines as in the daemon's log (log_line.h). Without a file lines are dropped: a full disk or a missing
// folder never keeps a worker from checking. They are counted, and the next line that can be written is
// preceded by how many they were. The first failure is kept for the master. A disk that hangs does keep the
// worker: the master replaces it, and its successor gets no file until one can be written again
// (log_recovery.h).
class WorkerLog {
public:
    // `who`: the who_of() of a cat (log_line.h). The log asks for its rotation at `max_bytes`, and again
    // when no new file has come within `patience`; 0: never.
    WorkerLog(std::string who, LogFormat format, std::uint64_t max_bytes,
              std::chrono::milliseconds patience = std::chrono::minutes(1));

    // Opens `path` for appending and creates its folder (log_file.h). Before confinement.
    void open(const std::string& path);

    // Goes on in `file`, which the master opened after it moved the old one away.
    void replace(UniqueFd file);

    void write(LogLevel level, std::string_view text, LogFields fields = {});

    // A probe: its verdict, and what was measured in how long.
    void note(const Report& report);

    // True once, when the file has reached its size; again after replace(), or after `patience`.
    bool wants_rotation();

    // The first reason why lines are lost ("write /x/cat1.log: No space left on device"), once; nullopt:
    // none, or taken before.
    std::optional<std::string> take_failure();

private:
    bool put(const std::string& line);
    void failed(const Error& error);

    std::string who_;
    LogFormat format_;
    std::string path_;
    std::uint64_t max_bytes_;
    std::chrono::milliseconds patience_;
    UniqueFd file_;
    std::uint64_t size_ = 0;
    std::uint64_t dropped_ = 0;  // lines that could not be written since the last one that could
    std::optional<std::chrono::steady_clock::time_point> asked_at_;
    std::string failure_;
    bool failure_taken_ = false;
    bool torn_ = false;  // the disk was full in the middle of the last line
};

}  // namespace healthcheckd::worker
