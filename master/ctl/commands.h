// The commands of healthcheckctl: each asks one question and prints the answer. healthcheckctl.
#pragma once

#include "master/ctl/options.h"

namespace healthcheckd::ctl {

// Does what the command line says. Prints to stdout, or what went wrong to stderr, and gives the exit status: 0 when all
// is well, 1 when healthcheckd said no or something has failed, 2 when there was no answer.
int run(const Options& options);

}  // namespace healthcheckd::ctl
