// healthcheckd's own process and those above it: whoever stops one of them stops healthcheckd. Master and
// action.
#pragma once

#include "common/wire/verdict.h"

#include <algorithm>
#include <vector>

namespace healthcheckd::master {

// This process, its parent and so on up to the first process of the pid namespace, which is left out; at most
// 64. Shorter where /proc does not show one. Reads /proc: call before anything can hang.
std::vector<ProcessId> own_line();

// A process without a start time is none of them.
inline bool is_in(const std::vector<ProcessId>& line, const ProcessId& process) {
    return process.running() && std::ranges::find(line, process) != line.end();
}

}  // namespace healthcheckd::master
