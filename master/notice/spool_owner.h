// Gives the spool to the mailer's user, whoever owned it before. Mailer.
#pragma once

#include "common/system/result.h"

#include <string>
#include <sys/types.h>

namespace healthcheckd::master {

// Gives the folder `path`, and the regular files in it, to `uid` and `gid`, and closes it to all others.
// Follows no symbolic link and skips files with a second hard link, which could be one of root's files. At most
// 100,000 files. Returns whether it belongs to `uid` then; false where this user may not give files away, the user
// namespace does not map the uid, or the file system stores no owners: the folder keeps its owner.
Result<bool> give_folder(const std::string& path, uid_t uid, gid_t gid);

}  // namespace healthcheckd::master
