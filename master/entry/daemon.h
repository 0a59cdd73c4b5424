// healthcheckd as a daemon in the foreground: signals, start with a loaded configuration, orderly end.
// Master.
#pragma once

#include <string>

namespace healthcheckd::master {

// Runs until a signal ends it. Returns the exit status of healthcheckd(8): 0 stopped on a signal, 1
// configuration or run-time error.
int run_daemon(const std::string& config_file, bool verbose);

}  // namespace healthcheckd::master
