// Files that are complete or do not exist, also after a power failure. State child, action and mailer.
//
// The folder may belong to another user: no existing file in it is written to, followed, or given away. A
// symbolic link in place of the folder is followed only if it belongs to root or to this process's own user.
#pragma once

#include "common/system/result.h"

#include <string>
#include <string_view>
#include <sys/types.h>

namespace healthcheckd {

// Replaces `dir`/`name` by `text`: a new temporary file in the same folder, fsync, rename(2), fsync of the
// folder. Creates the folder if it is missing. Written by root, the file belongs to the owner of the folder.
// On failure the old file is unchanged, and the error names the path.
Result<void> replace_file(const std::string& dir, const std::string& name, std::string_view text,
                          mode_t mode);

// As replace_file(), without fsync: the file survives the end of every process, but not of the machine.
Result<void> place_file(const std::string& dir, const std::string& name, std::string_view text, mode_t mode);

// Renames `dir`/`name` to `as` and replaces nothing: succeeds also when `as` exists, or when there is no `name`. Durable
// with the next replace_file() in `dir`.
Result<void> keep_file(const std::string& dir, const std::string& name, const std::string& as);

// Removes `dir`/`name` durably. Succeeds when there is none.
Result<void> remove_file(const std::string& dir, const std::string& name);

// Creates the folder `path` with `mode` unless it exists, so that it survives a power failure.
Result<void> make_folder(const std::string& path, mode_t mode);

// Makes all files created, renamed and removed in `dir` durable. Succeeds on a file system that cannot sync
// folders (EINVAL, ENOTSUP).
Result<void> sync_folder(const std::string& dir);

}  // namespace healthcheckd
