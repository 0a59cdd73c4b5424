// Which sockets another process has open, by /proc/PID/fd (proc(5)). Action and process reader.
#pragma once

#include "common/system/result.h"

#include <string>
#include <sys/types.h>
#include <vector>

namespace healthcheckd {

// Has process `pid` one of `links` open ("socket:[123]", as /proc/PID/fd shows it)? Looks at 70,000
// descriptors at most. Error EACCES or EPERM when its descriptors cannot be read from here: then nothing is
// known of them.
Result<bool> holds_one_of(pid_t pid, const std::vector<std::string>& links);

// The same for the first 1,024 descriptors, among which are those that a server opened when it began, by
// calls that the process reader may make.
Result<bool> holds_early_one_of(pid_t pid, const std::vector<std::string>& links);

}  // namespace healthcheckd
