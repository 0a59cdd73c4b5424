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
    std::string first_line = {};  // written before the worker gets the file; empty: none
};

// FILE is renamed to FILE.1 and so on, up to the first number that is free; when none is, FILE.<backups> is replaced.
// A file smaller than `from_bytes` is not rotated, whatever its worker says.
struct Rotation {
    int backups = 0;
    std::uint64_t from_bytes = 0;
};

// The child's main function. The sockets of the files' workers are kFirstExtraFd and up, in the order of the files. Writes
// a `broken` line with the first error and continues with the other files. Returns the exit status.
int run_renew_logs(const std::vector<LogFile>& files, const std::optional<Rotation>& rotation);

}  // namespace healthcheckd::master
