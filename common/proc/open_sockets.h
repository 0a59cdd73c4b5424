// The sockets that another process has open, by /proc/PID/fd (proc(5)). Action and process reader.
#pragma once

#include "common/system/result.h"

#include <string>
#include <sys/types.h>
#include <vector>

namespace healthcheckd {

// Returns whether process `pid` has one of `links` open ("socket:[123]", as /proc/PID/fd shows it). Examines
// at most 70,000 descriptors. Fails with EACCES or EPERM when its descriptors cannot be read from here.
Result<bool> holds_one_of(pid_t pid, const std::vector<std::string>& links);

// As holds_one_of(), for the first 1,024 descriptors, which include those that a server opened at its start.
// Makes only system calls that the process reader may make.
Result<bool> holds_early_one_of(pid_t pid, const std::vector<std::string>& links);

}  // namespace healthcheckd
