// Reads stateDir/memory.json in a child, so that a disk that hangs delays the start by a few seconds at most.
// Master and memory child.
#pragma once

#include "master/files/memory.h"
#include "master/process/spawner.h"

#include <functional>
#include <string>

namespace healthcheckd::master {

// `done` comes from the loop, within 6 s, with what there is: nothing at the first start, nor when the file
// cannot be read. A damaged file is put aside as memory.json.damaged; the log says so.
void load_memory(Spawner& spawner, const std::string& state_dir, std::function<void(Memory)> done);

}  // namespace healthcheckd::master
