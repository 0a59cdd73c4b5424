// The end of a program's log: from supervisord, or from the file if supervisord cannot return it. Notice and
// action.
#pragma once

#include "common/system/result.h"
#include "master/files/disk_work.h"

#include <chrono>
#include <string>

namespace healthcheckd::master {

// Returns the last 2 KiB of the file `path` (absolute), which is the log according to supervisord. Reads it
// in a child with the permissions of nobody, with the timeout `limit`: a compromised link must not make
// root read what only root may.
Result<std::string> read_log_end(const std::string& path, const DiskWork& disk,
                                 std::chrono::milliseconds limit);

}  // namespace healthcheckd::master
