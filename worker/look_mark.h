// Shared memory in which a worker that finds its process itself notes the process that it is examining, so
// that the master knows it when the worker hangs. Master and worker.
#pragma once

#include "common/system/unique_fd.h"

#include <atomic>
#include <sys/types.h>

namespace healthcheckd::worker {

// Creates the memory; the worker inherits the descriptor. Returns an empty one and sets errno on failure:
// then it is unknown at which process a worker hangs.
UniqueFd make_look_mark();

// Returns the process that the worker is examining; 0: none, or unknown. Workers are not trusted: a value
// that is no pid is returned as 0.
pid_t read_look_mark(const UniqueFd& mark);

// The worker's side.
class LookMark {
public:
    // Maps `fd`. With -1, or on failure, nothing is noted. Call before confinement.
    explicit LookMark(int fd);
    ~LookMark();
    LookMark(const LookMark&) = delete;
    LookMark& operator=(const LookMark&) = delete;

    // Notes that `pid` is being examined; 0: no process.
    void at(pid_t pid) {
        if (place_ != nullptr)
            place_->store(pid, std::memory_order_relaxed);
    }

private:
    std::atomic<pid_t>* place_ = nullptr;
};

}  // namespace healthcheckd::worker
