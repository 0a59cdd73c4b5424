// The commands of healthcheckctl that ask one question and print the answer. healthcheckctl.
#pragma once

#include "master/ctl/options.h"

namespace healthcheckd::ctl {

// Each prints to stdout, or what went wrong to stderr, and gives the exit status: 0 when all is well, 1 when
// healthcheckd said no or something has failed, 2 when there was no answer.
int run_status(const Options& options);
int run_pause(const Options& options);
int run_resume(const Options& options);
int run_check(const Options& options);
int run_test_action(const Options& options);
int run_reload(const Options& options);
int run_history(const Options& options);

}  // namespace healthcheckd::ctl
