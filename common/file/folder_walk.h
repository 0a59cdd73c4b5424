// Opens the folder of a path name by name, so that only root decides where it leads. Every process.
#pragma once

#include "common/system/result.h"
#include "common/system/unique_fd.h"

#include <optional>
#include <string>
#include <sys/types.h>

namespace healthcheckd {

// What is allowed on the way.
struct WalkRules {
    // Follow a symbolic link in a folder that, like all folders above it, no other user may change.
    // Otherwise no link is followed.
    bool trusted_links = false;
    // Create missing folders, with mode 0777 minus the umask.
    bool create = false;
    // The users whose folders are trusted, besides root.
    uid_t self = 0;
    std::optional<uid_t> other = {};
    std::optional<uid_t> outside = {};  // see outside_owner()
    // Root's group (0) may write to trusted folders: root chose its members.
    bool roots_group = false;
};

// Returns, in a user namespace, the uid that files of all users outside of it have (user_namespaces(7),
// "Unmapped user and group IDs"): they own "/" and "/run", and can change everything inside anyway. nullopt:
// not in a user namespace. Reads files in /proc/self and /proc/sys.
std::optional<uid_t> outside_owner();

// A folder as an O_PATH descriptor for openat(2), and who may change where its path leads.
struct WalkedFolder {
    UniqueFd fd;
    // The first folder on the way, "/" included, that others than root (and WalkRules::self, other and outside)
    // may change: it belongs to another user, or its group or all may write to it, unless it is sticky. Empty:
    // none.
    std::string foreign;
    uid_t foreign_uid = 0;  // its owner
    std::string place;      // its path without symbolic links, "" for "/"
    bool sticky = false;    // its group or all may create names in it, but not change those of others
};

// Opens the folder `path` (absolute). Needs only search permission on the folders, so a process that Landlock
// confines can do it. The error names the place; its code is ELOOP for a symbolic link that is not followed.
Result<WalkedFolder> open_folder(const std::string& path, const WalkRules& rules);

}  // namespace healthcheckd
