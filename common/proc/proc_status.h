// Lines of /proc/PID/status, by name. Every process.
//
// Unlike stat, cmdline and the files about memory, it can be read without waiting for a lock that the process
// holds.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace healthcheckd {

// Returns the text after `name` and its colon ("Uid", "NSpid"; proc_pid_status(5)), with the blanks before
// it. Returns nullopt when there is no such line or process.
std::optional<std::string> proc_status(pid_t pid, std::string_view name);

}  // namespace healthcheckd
