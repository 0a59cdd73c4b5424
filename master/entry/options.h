// The command line of healthcheckd. Command line.
#pragma once

#include "common/system/result.h"

#include <string>

namespace healthcheckd::master {

enum class Mode { run, test, dump, once, test_mail, help, version };

struct Options {
    Mode mode = Mode::run;
    std::string config_file = "/etc/supervisord.d/scripts/config.yaml";
    bool verbose = false;
};

// Returns the options, or an error.
Result<Options> parse_options(int argc, char** argv);

// The text of -h.
std::string usage();

}  // namespace healthcheckd::master
