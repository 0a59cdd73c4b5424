// What this process may do by its capabilities (capabilities(7)). Every process.
#pragma once

#include <cstdint>

namespace healthcheckd {

// Returns the permitted capabilities among the first 32, a bit each: 1U << CAP_KILL. 0 when they cannot be read.
std::uint32_t permitted_capabilities();

// Returns whether a process with these capabilities can give its children users of their own: it may change the user,
// and may end a process that has another one (kill(2)). `root`: its user is root. Without arguments: this process.
bool may_change_users(std::uint32_t permitted, bool root);
bool may_change_users();

// Returns whether in addition the process may give its files to these users, and still use the files then.
bool may_give_files(std::uint32_t permitted, bool root);
bool may_give_files();

}  // namespace healthcheckd
