// The folder of a path, reached name by name, so that nobody but root decides where it leads. Every process.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"

#include <optional>
#include <string>
#include <sys/types.h>

namespace healthcheckd {

// What may be met on the way.
struct WalkRules {
    // Follow a symbolic link in a folder that no other user may change, nor any above it. Without it no link
    // at all is followed.
    bool trusted_links = false;
    // Make what is missing, with mode 0777 less the umask.
    bool create = false;
    // Whose folders are trusted beside root's.
    uid_t self = 0;
    std::optional<uid_t> other = {};
    std::optional<uid_t> outside = {};  // see outside_owner()
    // Whether root's group (0) may write to them: who is in it was put there by root.
    bool roots_group = false;
};

// In a user namespace, the uid that files of everybody outside of it show (user_namespaces(7), "Unmapped user
// and group IDs"): "/" and "/run" are theirs, and they can change all that is in here anyway. nullopt: there
// is no outside. Reads files of /proc/self and /proc/sys.
std::optional<uid_t> outside_owner();

// A folder as an O_PATH descriptor, good for openat(2), and who may change where its path leads.
struct WalkedFolder {
    UniqueFd fd;
    // The first folder of the way, "/" included, that others than root (and WalkRules::self, other and
    // outside) may change: it belongs to somebody else, or its group or all may write to it, unless it is
    // sticky. Empty: none.
    std::string foreign;
    uid_t foreign_uid = 0;  // its owner
    std::string place;      // the way to it without links, "" for "/"
    bool sticky = false;    // its group or all may make names in it, and nobody change those of others
};

// Opens the folder `path` (absolute). Takes no right but to search the folders: a process that Landlock
// confines can do it. An error names the place and has ELOOP for a link that is not followed.
Result<WalkedFolder> open_folder(const std::string& path, const WalkRules& rules);

}  // namespace healthcheckd
