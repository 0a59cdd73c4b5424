// A cat's log file, opened so that it is that file and no other. Worker, before it is confined, and log
// child.
#pragma once

#include "common/file/folder_walk.h"

#include <cstdint>
#include <string>

namespace healthcheckd {

// Bytes up to which a worker can write one log that asks for its rotation at `max_bytes`: there is time for
// the new file to come, and a worker that is taken over cannot fill the disk.
constexpr std::uint64_t log_file_limit(std::uint64_t max_bytes) {
    return 2 * max_bytes + (64u << 10);
}

// The folder of the log `path`: a symbolic link is followed only where nobody but root, and the user that
// this process runs as, may change the way there. `create`: makes what is missing.
Result<WalkedFolder> open_log_folder(const std::string& path, bool create);

// The log `path` in `folder`, for appending; made, with mode 0640, when there is none. Refused is whatever
// may be another file than the folder's own: a symbolic link, a file with a second name (hard link), and what
// is no regular file. Waits for no reader of a FIFO and no lease.
Result<UniqueFd> open_log_file(const WalkedFolder& folder, const std::string& path);

}  // namespace healthcheckd
