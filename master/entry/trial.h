// Can a child live here at all? Tried once at the start: what this machine forbids to one child it forbids to
// each, and a healthcheckd of which every child dies watches nothing while it seems to run. Master, and its
// short-lived child.
#pragma once

#include "common/config/config.h"
#include "common/system/result.h"
#include "master/process/spawner.h"

#include <functional>

namespace healthcheckd::master {

// Confines a child at `level` that then ends. `done` is called once, from the loop: with the step that
// failed, for people. That no process could be started just then, or that it took long, is no failure.
void try_child(Spawner& spawner, SandboxLevel level, const std::function<void(Result<void>)>& done);

}  // namespace healthcheckd::master
