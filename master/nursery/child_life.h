// The first steps of every child, after the fork. Master and nursery; every child.
#pragma once

#include <functional>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace healthcheckd::master {

// A session of its own, or that of its parent, with a process group of its own.
enum class Session { own, parents };

// Becomes a child of `master` and runs `main`, whose result is its exit status. `fds`: its ends of the control
// channel and the report pipe, then what becomes kFirstExtraFd and up; all others are closed. Reports an exception that
// escapes `main`. Ends the process when `master` has ended.
[[noreturn]] void live_as_child(std::string_view title, std::vector<int> fds, pid_t master, Session session,
                                const std::function<int()>& main) noexcept;

}  // namespace healthcheckd::master
