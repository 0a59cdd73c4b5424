// A test at the start whether children can run: what this machine denies to one child it denies to
// each, and a healthcheckd whose children all fail would seem to run without checking anything. Master,
// and its short-lived child.
#pragma once

#include "common/config/config.h"
#include "common/system/result.h"
#include "master/process/task.h"

#include <functional>

namespace healthcheckd::master {

// Starts a child in `task`, which must be idle, that confines itself at `level` and exits. Calls `done` once:
// from the loop with an error, for people, that names the step that failed, or with success. Succeeds also when the
// child was slow, and when no process could be started at the time: then before this returns.
void try_child(Task& task, WorkerUids& uids, SandboxLevel level,
               const std::function<void(Result<void>)>& done);

}  // namespace healthcheckd::master
