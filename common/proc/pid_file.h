// Reads a pid file and decides whether it can be trusted. Worker.
//
// The process named may be restarted or killed, so whoever can write the file, or redirect its path, could
// aim that at any process. So the file must be a regular file that is not writable for all, without a
// symbolic link anywhere in its path. Its pid is the first word of its first line, a decimal number from 2 to
// 4194304 (the kernel's PID_MAX_LIMIT), as hier(7) and the Filesystem Hierarchy Standard recommend to
// readers. Its owner must be the user of the process; or root, if every folder above belongs to root and only
// root may change it, and the file has no second hard link. The process must not be one of healthcheckd's
// own, nor a thread. The process of a file that its group may write is not killed.
#pragma once

#include "common/file/folder_walk.h"
#include "common/proc/pid_finder.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <utility>

namespace healthcheckd {

// Returns the number at the beginning of a pid file's text, without preceding blanks and leading zeros;
// nullopt when the first word is anything else.
std::optional<pid_t> parse_pid(std::string_view text);

class PidFile final : public PidFinder {
public:
    // `path`: absolute. /var/run is replaced by /run if it is the symbolic link that most systems have.
    PidFile(const std::string& path, pid_t master);

    // Idle when there is no file or its process is not running; unknown, with the reason, for a file that
    // cannot be read or trusted.
    FoundProcess look() override;
    std::optional<gid_t> group() const override { return group_; }

private:
    // Device and inode of a folder; {0, 0}: none.
    using Place = std::pair<dev_t, ino_t>;

    static Place place_of(const Result<WalkedFolder>& folder);
    Result<WalkedFolder> folder() const;
    FoundProcess no_folder(const Error& error) const;
    FoundProcess not_opened(int error, const WalkedFolder& folder) const;
    // Returns why the file must not be trusted at all; "": it may.
    std::string distrust(const struct stat& status, const WalkedFolder& folder) const;
    // Returns why the process must not be killed; "": it may.
    std::string doubt(const struct stat& status) const;
    // Returns the group that may read a file which is trusted and not readable for all.
    std::optional<gid_t> group_to_read() const;
    FoundProcess look_up(pid_t pid, uid_t owner) const;

    std::string path_;
    std::string shown_;  // for logs
    pid_t master_;
    Place first_;                 // the folder before confinement, the only one in Landlock's rules
    std::optional<gid_t> group_;  // group_to_read() before confinement, which the process then joins
};

}  // namespace healthcheckd
