// Where the log of a worker is: a file name for any name of a cat, one to one. Every process.
#pragma once

#include "common/config/config.h"

#include <string>
#include <string_view>

namespace healthcheckd {

// The name as a file's name, at most 246 bytes. Letters, digits, '_', '-', '.' and characters outside of
// ASCII stay, every other byte becomes %XX: no two names give one file. Of a name for which that is too long
// there is a beginning, to be recognized by, and after a '~', which no other has, a number made of the whole
// name: of n such names two have the same with a probability of n² / 2^65.
std::string log_file_name(std::string_view name);

// The log file of the worker of cat `name`: "LOGDIR/cat1.log"; of a group's member
// "LOGDIR/cat1%2Fweb_00.log".
std::string worker_log_path(const Config& config, std::string_view name);

}  // namespace healthcheckd
