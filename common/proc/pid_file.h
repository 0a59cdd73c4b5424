// The process that a pid file names, if the file can be trusted. Worker.
//
// What the file says may end in a restart or a kill of that process, so whoever can write the file, or lead
// its path to another one, could aim them at anyone. Accepted is only a regular file that not everybody may
// write, reached without a symbolic link in any place of its path. What counts is the first word of its first
// line: a decimal number from 2 to 4194304 (PID_MAX_LIMIT of the kernel), as hier(7) and the Filesystem
// Hierarchy Standard want readers to take it. Its owner must be the user of the process named; or root, where
// every folder above belongs to root and nobody else may change it, and the file has no second name. The
// process must not be of healthcheckd's own tree, nor a thread. A file that a group may write is not good
// enough to kill by.
#pragma once

#include "common/file/folder_walk.h"
#include "common/proc/pid_finder.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <utility>

namespace healthcheckd {

// The number that a pid file's text begins with, blanks before it and leading zeroes left out; nullopt when
// its first word is anything else.
std::optional<pid_t> parse_pid(std::string_view text);

class PidFile final : public PidFinder {
public:
    // `path`: absolute. /var/run means /run where it is the link to it that most systems have.
    PidFile(const std::string& path, pid_t master);

    // Idle when the file is absent or its process does not run; unknown, with the reason, for a file that
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
    // Why the file is not to be believed, whatever it says; empty: it is.
    std::string distrust(const struct stat& status, const WalkedFolder& folder) const;
    // Why nobody is to be killed by what it says; empty: nothing is against it.
    std::string doubt(const struct stat& status) const;
    // The group that a file which is to be believed, and is not for everybody, can be read by.
    std::optional<gid_t> group_to_read() const;
    FoundProcess look_up(pid_t pid, uid_t owner) const;

    std::string path_;
    std::string shown_;  // fit for a log
    pid_t master_;
    Place first_;  // the folder before confinement, which is the only one that Landlock's rules know
    std::optional<gid_t> group_;  // group_to_read() before confinement, which is entered with it
};

}  // namespace healthcheckd
