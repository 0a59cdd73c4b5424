// Who may be believed to be supervisord: by whose process listens at its socket, and who decides where that
// is. Link, its connector, and action.
#pragma once

#include "common/config/config.h"
#include "common/system/result.h"

#include <optional>
#include <string>
#include <sys/types.h>

namespace healthcheckd::master {

struct OwnerRule {
    uid_t own = 0;                      // who started healthcheckd
    std::optional<uid_t> named;         // config.supervisordOwner
    std::optional<uid_t> seen = {};     // who answered first in this life: from then on, no other of these
    std::optional<uid_t> outside = {};  // outside_owner() of common/file/folder_walk.h

    bool believes(uid_t uid) const;
    bool allows(uid_t uid) const;  // the same, whoever answered first
    // What is wrong with `uid`, and what to do about it, in words that follow "supervisord at ... ".
    std::string refusal(uid_t uid) const;
};

// By the configuration, for a process that runs as healthcheckd was started.
OwnerRule owner_rule(const Config& config, std::optional<uid_t> seen = std::nullopt);

// Is process `parent` the supervisord that listens at `path`? It is when it called listen(2), or when it
// holds the listening socket: a supervisord that makes itself a daemon listens first and forks then. To see
// that takes CAP_SYS_PTRACE, or to be its user without less capabilities. The error says why not, or why that
// cannot be known. Waits for at most a second.
Result<void> check_supervisor(pid_t parent, const std::string& path, const OwnerRule& rule);

}  // namespace healthcheckd::master
