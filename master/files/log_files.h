// The workers' log files: their paths, and their rotation. Master and log child.
//
// A worker is confined before it writes its first line and cannot rename or open files: a short-lived child
// does, and passes the new file to the worker.
#pragma once

#include "common/config/config.h"
#include "master/process/task.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::master {

struct LogFile {
    std::string path;
    int control = -1;             // the worker's socket
    std::string first_line = {};  // written before the worker gets the file; empty: none
};

// FILE is renamed to FILE.1 and so on; the file after FILE.<backups> is removed. A file smaller than
// `from_bytes` is not rotated, whatever its worker says.
struct Rotation {
    int backups = 0;
    std::uint64_t from_bytes = 0;
};

// Starts a child in `task`, which must be idle, that rotates each file if `rotation` is given, opens it, and passes it to
// its worker. Calls `on_end` when the child has ended, with a description of what failed first, "" for nothing. The
// child is killed after the timeout `limit`. Returns false when it could not be started, which has been logged.
bool renew_logs(Task& task, std::vector<LogFile> files, std::optional<Rotation> rotation,
                std::function<void(const std::string& failure)> on_end,
                Milliseconds limit = children::kLogFiles.limit);

}  // namespace healthcheckd::master
