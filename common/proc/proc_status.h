// /proc/PID/status, one line of it by its name. Every process.
//
// Reading it waits for no lock that the process can hold, unlike stat, cmdline and all that is about its memory.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace healthcheckd {

// What follows `name` and its colon ("Uid", "NSpid"; proc_pid_status(5)), with the blanks before it. nullopt: there is
// no such line, or no such process.
std::optional<std::string> proc_status(pid_t pid, std::string_view name);

}  // namespace healthcheckd
