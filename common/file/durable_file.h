// Files that are there whole or not at all, also after a power failure. State child, action and mailer.
//
// The folder may belong to another user: nothing that lies in it is written into, followed, or given away. Of
// symbolic links in place of the folder only those of root and of this process's own user are followed.
#pragma once

#include "common/system/result.h"

#include <string>
#include <string_view>
#include <sys/types.h>

namespace healthcheckd {

// Replaces `dir`/`name` by `text`: a new temporary file beside it, fsync, rename(2), fsync of the folder.
// Makes the folder when it is missing. Written by root, the file belongs to the owner of the folder. On
// failure the old file is untouched; the error names the path.
Result<void> replace_file(const std::string& dir, const std::string& name, std::string_view text,
                          mode_t mode);

// The same without any fsync: it survives the end of every process, not that of the machine.
Result<void> place_file(const std::string& dir, const std::string& name, std::string_view text, mode_t mode);

// Removes `dir`/`name` for good. No error when there is none.
Result<void> remove_file(const std::string& dir, const std::string& name);

// Makes the folder `path` unless there is one, so that it outlives a power failure. `mode`: of a new one.
Result<void> make_folder(const std::string& path, mode_t mode);

// What was made, renamed and removed in `dir` is on disk when this returns. A file system that syncs no
// folders (EINVAL, ENOTSUP) does what it can by itself: no failure.
Result<void> sync_folder(const std::string& dir);

}  // namespace healthcheckd
