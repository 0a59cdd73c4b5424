// Reads stateDir/memory.json in a child, so that a disk that hangs delays the start by at most a few seconds. Master.
#pragma once

#include "master/files/memory.h"
#include "master/process/task.h"

#include <functional>
#include <string>

namespace healthcheckd::master {

struct LoadedMemory {
    Memory memory;
    // Not empty: the file could not be read, and whoever writes another one keeps it under this name.
    std::string keep_as = {};
};

// Reads memory.json in a child of `task`, which must be idle. Calls `done` within 6 s, from the loop, or before
// this returns when no process can be started. The memory is empty at the first start, and when the file cannot be
// read. A damaged file is renamed to memory.json.damaged and logged.
void load_memory(Task& task, const std::string& state_dir, std::function<void(LoadedMemory)> done);

}  // namespace healthcheckd::master
