// The commands of healthcheckctl: each sends one request and prints the answer. healthcheckctl.
#pragma once

#include "master/ctl/options.h"

namespace healthcheckd::ctl {

// Runs the command. Prints the result to stdout, errors to stderr, and returns the exit status: 0 on success,
// 1 when healthcheckd reported an error or something has failed, 2 when there was no answer.
int run(const Options& options);

}  // namespace healthcheckd::ctl
