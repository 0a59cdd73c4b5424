// The workers' log files: where they are, and new ones in place of those that are full. Master and log child.
//
// A worker is confined before it writes its first line and cannot rename or open files: a short-lived child
// does, and passes the new file to the worker.
#pragma once

#include "common/config/config.h"
#include "master/process/spawner.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::master {

struct LogFile {
    std::string path;
    int control = -1;             // the worker's socket
    std::string first_line = {};  // is written before the worker gets the file; empty: none
};

// FILE becomes FILE.1 and so on, the one after FILE.<backups> is removed. A file of less than `from_bytes`
// stays where it is, whatever its worker says.
struct Rotation {
    int backups = 0;
    std::uint64_t from_bytes = 0;
};

// Starts a child that opens each file anew, after its rotation if there is one, and passes it to its worker.
// `on_end` is called when the child has ended, with what of it failed, empty when nothing did. The child is
// killed after `limit`. Returns its pid; 0: none could be started, which has been logged.
pid_t renew_logs(Spawner& spawner, std::vector<LogFile> files, std::optional<Rotation> rotation,
                 std::function<void(const std::string& failure)> on_end,
                 Milliseconds limit = children::kLogFiles.limit);

}  // namespace healthcheckd::master
