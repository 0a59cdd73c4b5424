// The command `watch`: the table of `status`, again and again. healthcheckctl.
#pragma once

#include "master/ctl/options.h"

namespace healthcheckd::ctl {

// On a terminal one picture that is drawn anew until q or a signal; else one table after another until it is
// ended. Gives the exit status.
int run_watch(const Options& options);

}  // namespace healthcheckd::ctl
