// The table of all cats and their states, logged on SIGUSR1 and shown by healthcheckctl. Master and
// healthcheckctl.
#pragma once

#include "common/text/table.h"

namespace healthcheckd {

// Returns the table with its columns and without rows.
inline Table cat_table() {
    return Table({{"CAT"},
                  {"PROGRAM"},
                  {"TYPE"},
                  {"STATE"},
                  {"PID", true},
                  {"FAILURES", true},
                  {"SUCCESSES", true},
                  {"FIRED", true},
                  {"LAST PROBE"}});
}

}  // namespace healthcheckd
