// Writes files of stateDir. State child.
#pragma once

#include <map>
#include <string>
#include <sys/types.h>

namespace healthcheckd::master {

struct StateText {
    std::string text;
    mode_t mode;
    std::string keep_as = {};  // the name under which the file that is there is kept; empty: it is replaced
};
using StateTexts = std::map<std::string, StateText>;  // by the file's name

// The child's main function: replaces each file in `dir` durably. A file that is to be kept is not replaced when it
// cannot be kept. Writes a `broken` line with the first error and continues with the other files. Returns the exit
// status.
int run_write_state(const std::string& dir, const StateTexts& files);

}  // namespace healthcheckd::master
