// The process that a pid file names, if the file can be trusted. Worker.
//
// What the file says may end in a restart or a kill of that process, so whoever can write the file, or lead
// its path to another one, could aim them at anyone. Accepted is only a regular file that nobody but its
// owner may write, reached without a symbolic link in any place of its path, with at most 32 bytes: one
// decimal number from 2 to 4194304 (PID_MAX_LIMIT of the kernel) and blanks after it. Its owner must be the
// user of the process named; or root, where every folder above belongs to root and nobody else may change it,
// and the file has no second name. The process must not be of healthcheckd's own tree, nor a thread.
#pragma once

#include "common/folder_walk.h"
#include "worker/pid_finder.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <utility>

namespace healthcheckd::worker {

// The number in a pid file's text; nullopt when the text is anything else.
std::optional<pid_t> parse_pid(std::string_view text);

class PidFile final : public PidFinder {
public:
    // `path`: absolute. /var/run means /run where it is the link to it that most systems have.
    PidFile(const std::string& path, pid_t master);

    // Idle when the file is absent or its process does not run; unknown, with the reason, for a file that
    // cannot be read or trusted.
    FoundProcess look() override;

private:
    // Device and inode of a folder; {0, 0}: none.
    using Place = std::pair<dev_t, ino_t>;

    static Place place_of(const Result<WalkedFolder>& folder);
    Result<WalkedFolder> folder() const;
    FoundProcess no_folder(const Error& error) const;
    FoundProcess not_opened(int error, const WalkedFolder& folder) const;
    // Why the file is not to be believed, whatever it says; empty: it is.
    std::string distrust(const struct stat& status, const WalkedFolder& folder) const;
    FoundProcess look_up(pid_t pid, uid_t owner) const;

    std::string path_;
    std::string shown_;  // fit for a log
    pid_t master_;
    Place first_;  // the folder before confinement, which is the only one that Landlock's rules know
};

}  // namespace healthcheckd::worker
