// Opening a cat's log file, so that it cannot be another file. Worker, before it is confined, and log child.
#pragma once

#include "common/file/folder_walk.h"

#include <cstdint>
#include <string>

namespace healthcheckd {

// Returns the file size limit in bytes for a worker whose log is rotated at `max_bytes`: leaves time for the
// new file to come, and keeps a compromised worker from filling the disk.
constexpr std::uint64_t log_file_limit(std::uint64_t max_bytes) {
    return 2 * max_bytes + (64u << 10);
}

// Opens the folder of the log `path`. Follows a symbolic link only where nobody but root, and the user of
// this process, may change the way to it. `create`: creates missing folders.
Result<WalkedFolder> open_log_folder(const std::string& path, bool create);

// Opens the log `path` in `folder` for appending; creates it with mode 0640 if it is missing. Rejects what
// may be another file than the folder's own: a symbolic link, a file with a second hard link, and anything
// but a regular file. Does not wait for a reader of a FIFO or for a lease.
Result<UniqueFd> open_log_file(const WalkedFolder& folder, const std::string& path);

}  // namespace healthcheckd
