// The process that a pid file names, if the file can be trusted. Worker.
//
// What the file says may end in a restart or a kill of that process, so whoever can write the file could aim
// them at anyone. Accepted is only a regular file, no symbolic link, that nobody but its owner may write and
// whose owner is root or the user of the process named, with at most 32 bytes: one decimal number from 2 to
// 4194304 (PID_MAX_LIMIT of the kernel) and blanks after it. The process must not be of healthcheckd's own
// tree, nor a thread.
#pragma once

#include "worker/path_watch.h"
#include "worker/pid_finder.h"

#include <optional>
#include <string>
#include <string_view>

namespace healthcheckd::worker {

// The number in a pid file's text; nullopt when the text is anything else.
std::optional<pid_t> parse_pid(std::string_view text);

class PidFile final : public PidFinder {
public:
    PidFile(std::string path, pid_t master);

    // Idle when the file is absent or its process does not run; unknown, with the reason, for a file that
    // cannot be read or trusted.
    FoundProcess find() override;

private:
    FoundProcess look_up(pid_t pid, uid_t owner) const;

    std::string path_;
    pid_t master_;
    PathWatch folder_;
};

}  // namespace healthcheckd::worker
