// The users of children with few privileges: which uids are free for workers, and the mailer's user.
// Configuration child, and master (decoding a transfer).
#pragma once

#include "common/config/config.h"
#include "common/system/result.h"

#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace healthcheckd::master {

// The system user of the mailer, who owns the spool, if the machine has it.
inline constexpr char kMailerUser[] = "healthcheckd";
// Maximum number of uids of the range that belong to a user.
inline constexpr std::size_t kMostTakenUids = 1'000;

// Parses "61184-65519" or "off". The range has at least two uids, from 1000 to 4294967293, without 65534
// (nobody) and 65535 (no user, where uids have 16 bits).
Result<UidRange> parse_uid_range(std::string_view text);
std::string uid_range_text(const UidRange& range);

// Reads passwd(5) and group(5) directly, since other user databases may be on a network. Sets
// config.taken_uids and the mailer's user: kMailerUser, else the first uid of the range that belongs to no
// user and that no process has; nobody when the range is off. Ignores children of the caller's parent: for
// the configuration child that is the master, whose mailer must keep its uid. Returns what is wrong with the
// range; "": nothing. `used`: returns whether a process has the uid; empty: is_used().
std::string find_accounts(Config& config, const std::string& passwd = "/etc/passwd",
                          const std::string& group = "/etc/group",
                          const std::function<bool(uid_t)>& used = {});

// Returns whether a process that is no child of `family` has `uid` as its real uid.
bool is_used(uid_t uid, pid_t family);

}  // namespace healthcheckd::master
