// Users of children that may do little: which numbers are free for workers, and who the mailer is.
// Configuration child, and master (decoding a transfer).
#pragma once

#include "common/config/config.h"
#include "common/system/result.h"

#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace healthcheckd::master {

// The system user that the mailer runs as and the spool belongs to, where the machine has it.
inline constexpr char kMailerUser[] = "healthcheckd";
// Of the range, that belong to somebody: so many are remembered.
inline constexpr std::size_t kMostTakenUids = 1'000;

// "61184-65519" or "off". From 1000 to 4294967293, two numbers or more, 65534 (nobody) and 65535 (which
// stands for none) not among them.
Result<UidRange> parse_uid_range(std::string_view text);
std::string uid_range_text(const UidRange& range);

// Reads passwd(5) and group(5) themselves: other sources of users may be on a network. Sets
// config.taken_uids, and the mailer's user: kMailerUser, else the first of the range that is nobody's and
// that no process runs as, else nobody. Processes of the caller's parent do not count: in the configuration
// child that is the master, whose mailer keeps its user. Returns what is wrong with the range, empty when
// nothing is. `used`: says whether a process runs as that user; none: the machine does.
std::string find_accounts(Config& config, const std::string& passwd = "/etc/passwd",
                          const std::string& group = "/etc/group",
                          const std::function<bool(uid_t)>& used = {});

// Does a process have `uid` as its real uid that is no child of `family`?
bool is_used(uid_t uid, pid_t family);

}  // namespace healthcheckd::master
