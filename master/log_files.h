// The workers' log files: where they are, and new ones in place of those that are full. Master and log child.
//
// A worker is confined before it writes its first line and cannot rename or open files: a short-lived child
// does, and passes the new file to the worker.
#pragma once

#include "common/config.h"
#include "master/spawner.h"

#include <functional>
#include <string>
#include <vector>

namespace healthcheckd::master {

struct LogFile {
    std::string path;
    int control = -1;  // the worker's socket
};

// Starts a child that opens each file anew and passes it to its worker. With `backups` >= 0 the old ones are
// rotated before: FILE becomes FILE.1 and so on, the one after FILE.<backups> is removed. `on_end` is called
// when the child has ended. False: no child could be started.
bool renew_logs(Spawner& spawner, std::vector<LogFile> files, int backups, std::function<void()> on_end);

}  // namespace healthcheckd::master
