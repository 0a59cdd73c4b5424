// healthcheckd -o: every cat once, a table, and nothing else. Master.
//
// Cats, workers and the supervisord link are those of the daemon. What would act on a verdict, tell it or
// remember it is not there: no action, no mailer, no log or state file; a daemon beside it notices nothing.
#pragma once

#include <string>

namespace healthcheckd::master {

// Prints the table on standard output. `verbose`: the log, too, on standard error. Returns the exit status: 0
// when every cat that is enabled has succeeded, else 1.
int run_once(const std::string& config_file, bool verbose);

}  // namespace healthcheckd::master
