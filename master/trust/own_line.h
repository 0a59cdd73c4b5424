// healthcheckd's own process and its ancestors: whoever stops one of them stops healthcheckd. Master and
// action.
#pragma once

#include "common/wire/verdict.h"

#include <algorithm>
#include <vector>

namespace healthcheckd::master {

// Returns this process, its parent and so on, without the first process of the pid namespace; at most 64.
// Shorter where /proc does not show one. Reads /proc, so call it before anything can hang.
std::vector<ProcessId> own_line();

// A process without a start time is never one of them.
inline bool is_in(const std::vector<ProcessId>& line, const ProcessId& process) {
    return process.running() && std::ranges::find(line, process) != line.end();
}

}  // namespace healthcheckd::master
