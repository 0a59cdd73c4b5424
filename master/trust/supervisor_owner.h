// Decides who may be supervisord: by the user whose process listens at its socket, and by who controls the
// path to it. Link, its connector, and action.
#pragma once

#include "common/config/config.h"
#include "common/system/result.h"

#include <optional>
#include <string>
#include <sys/types.h>

namespace healthcheckd::master {

struct OwnerRule {
    uid_t own = 0;               // the user that started healthcheckd
    std::optional<uid_t> named;  // config.supervisordOwner
    // The user that answered first in this run; from then on no other of these is accepted.
    std::optional<uid_t> seen = {};
    std::optional<uid_t> outside = {};  // outside_owner() of common/file/folder_walk.h

    bool believes(uid_t uid) const;
    bool allows(uid_t uid) const;  // as believes(), whoever answered first
    // Returns what is wrong with `uid` and how to fix it, in words that follow "supervisord at ... ".
    std::string refusal(uid_t uid) const;
};

// Returns the rule of the configuration, for a process that runs as the user that started healthcheckd.
OwnerRule owner_rule(const Config& config, std::optional<uid_t> seen = std::nullopt);

// Checks that process `parent` is the supervisord that listens at `path`: it called listen(2), or holds the
// listening socket, since a supervisord that daemonizes listens first and forks then. Seeing this takes
// CAP_SYS_PTRACE, or the same user without fewer capabilities. The error says why not, or why it is unknown.
// Blocks for at most a second.
Result<void> check_supervisor(pid_t parent, const std::string& path, const OwnerRule& rule);

}  // namespace healthcheckd::master
