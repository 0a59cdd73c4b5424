// Gives the spool to the mailer's user, whoever had it before. Mailer.
#pragma once

#include "common/system/result.h"

#include <string>
#include <sys/types.h>

namespace healthcheckd::master {

// Gives the folder `path`, and the regular files in it, to `uid` and `gid`; nobody else may look into it from
// then on. Follows no link and touches no file that has a second name, which could be one of root's. Does
// nothing unless run by root. At most 100,000 files.
Result<void> give_folder(const std::string& path, uid_t uid, gid_t gid);

}  // namespace healthcheckd::master
