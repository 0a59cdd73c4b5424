// The workers' log files: their paths, and their rotation. Master.
//
// A worker is confined before it writes its first line and cannot rename or open files: a short-lived child
// does, and passes the new file to the worker.
#pragma once

#include "master/files/log_files_child.h"
#include "master/process/task.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::master {

// Starts a child in `task`, which must be idle, that rotates each file if `rotation` is given, opens it, and passes it to
// its worker. Calls `on_end` when the child has ended, with a description of what failed first, "" for nothing. The
// child is killed after the timeout `limit`. Returns false when it could not be started, which has been logged.
bool renew_logs(Task& task, std::vector<LogFile> files, std::optional<Rotation> rotation,
                std::function<void(const std::string& failure)> on_end,
                Milliseconds limit = children::kLogFiles.limit);

}  // namespace healthcheckd::master
