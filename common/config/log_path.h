// The path of a worker's log: maps the name of a cat to a file name. Every process.
#pragma once

#include "common/config/config.h"

#include <string>
#include <string_view>

namespace healthcheckd {

// Returns `name` as a file name of at most 246 bytes. Letters, digits, '_', '-', '.' and non-ASCII characters
// stay; every other byte becomes %XX, so that different names have different files. A name that would be too
// long is truncated to a recognizable beginning, followed by '~', which no other file name has, and a hash of
// the whole name: among n such names two collide with a probability of n² / 2^65.
std::string log_file_name(std::string_view name);

// Returns the log file of the worker of cat `name`: "LOGDIR/cat1.log"; "LOGDIR/cat1%2Fweb_00.log" for a
// member of a group.
std::string worker_log_path(const Config& config, std::string_view name);

}  // namespace healthcheckd
