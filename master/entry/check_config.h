// The options -t and -T. Command line.
#pragma once

#include <string>

namespace healthcheckd::master {

// Prints all diagnostics about `file` to stdout and, when there is no error, one line that says so. Returns
// 0, or 1 when there is an error.
int test_config(const std::string& file);

// Prints the effective configuration of `file` to stdout and diagnostics to stderr. Returns 0, or
// 1 when there is an error.
int print_config(const std::string& file);

}  // namespace healthcheckd::master
