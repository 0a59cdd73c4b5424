// A worker's own log file: every probe with its value, limit and duration. Worker.
#pragma once

#include "common/unique_fd.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace healthcheckd::worker {

// Lines `TIME LEVEL [cat1 gateway] text`, as in the daemon's log. Without a file lines are dropped: a full
// disk or a missing folder never keeps a worker from checking.
class WorkerLog {
public:
    // `who` stands in the brackets. The log asks for its rotation at `max_bytes`; 0: never.
    WorkerLog(std::string who, std::uint64_t max_bytes);

    // Opens `path` for appending and creates its folder. Before confinement.
    void open(const std::string& path);

    // Goes on in `file`, which the master opened after it moved the old one away.
    void replace(UniqueFd file);

    enum class Level : std::uint8_t { info, warning, error };
    void write(Level level, std::string_view text);

    // True once, when the file has reached its size; again after replace().
    bool wants_rotation();

private:
    std::string who_;
    std::uint64_t max_bytes_;
    UniqueFd file_;
    std::uint64_t size_ = 0;
    bool asked_ = false;
    bool torn_ = false;  // the disk was full in the middle of the last line
};

}  // namespace healthcheckd::worker
