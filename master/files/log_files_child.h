// Opens workers' log files anew, after a rotation where there is one, and passes them to the workers. Log child.
#pragma once

#include <cstdint>
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

// The life of the child: the worker of each file is at kFirstExtraFd and up, in their order. Says `broken` with what
// went wrong first, and goes on with the others. Returns the exit status.
int run_renew_logs(const std::vector<LogFile>& files, const std::optional<Rotation>& rotation);

}  // namespace healthcheckd::master
