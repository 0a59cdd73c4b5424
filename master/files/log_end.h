// The end of a program's log: from supervisord, or from the file where supervisord cannot give it. Notice and
// action.
#pragma once

#include "common/system/result.h"
#include "master/files/disk_work.h"

#include <chrono>
#include <string>

namespace healthcheckd::master {

// The last 2 KiB of the file `path` (absolute), which supervisord says is the log. It is read in a child with
// the rights of nobody in particular, for at most `limit`: a link that was taken over must not have root read
// what only root may.
Result<std::string> read_log_end(const std::string& path, const DiskWork& disk,
                                 std::chrono::milliseconds limit);

}  // namespace healthcheckd::master
