// The nursery: forks workers. Nursery.
#pragma once

#include "worker/entry.h"

#include <functional>
#include <sys/types.h>

namespace healthcheckd::master {

// The main function of the nursery: forks workers, whose parent is `master`, until the master closes its end. Returns
// the exit status.
int run_nursery(pid_t master, const std::function<int(const worker::WorkerStart&)>& worker_main);

}  // namespace healthcheckd::master
