// healthcheckd -o: probes every cat once and prints a table. Master.
//
// Uses the cats, workers and supervisord link of the daemon, but nothing that acts on a verdict, announces or
// saves it: no actions, mailer, logs or state files. A running daemon is not affected.
#pragma once

#include <string>

namespace healthcheckd::master {

// Prints the table to stdout. `verbose`: also logs to stderr. Returns the exit status: 0 when every
// enabled cat succeeded, else 1.
int run_once(const std::string& config_file, bool verbose);

}  // namespace healthcheckd::master
