// Files that are there whole or not at all, also after a power failure. State child, action and mailer.
#pragma once

#include "common/result.h"

#include <string>
#include <string_view>
#include <sys/types.h>

namespace healthcheckd {

// Replaces `dir`/`name` by `text`: temporary file beside it, fsync, rename(2), fsync of the folder. Makes the
// folder when it is missing. Written by root, the file belongs to the owner of the folder. On failure the old
// file is untouched; the error names the path.
Result<void> replace_file(const std::string& dir, const std::string& name, std::string_view text,
                          mode_t mode);

// The same without any fsync: it waits for no disk and survives the end of every process, not that of the
// machine.
Result<void> place_file(const std::string& dir, const std::string& name, std::string_view text, mode_t mode);

// Removes `dir`/`name` for good. No error when there is none.
Result<void> remove_file(const std::string& dir, const std::string& name);

}  // namespace healthcheckd
