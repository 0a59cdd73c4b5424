// The command `watch`: repeats the table of `status`. healthcheckctl.
#pragma once

#include "master/ctl/options.h"

namespace healthcheckd::ctl {

// On a terminal redraws the table in place until q or a signal; otherwise prints one table after another
// until it is ended. Returns the exit status.
int run_watch(const Options& options);

}  // namespace healthcheckd::ctl
