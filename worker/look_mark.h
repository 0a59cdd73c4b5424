// Where a worker that looks for its process notes the one that it is looking at, so that the master knows it
// when the look hangs. Master and worker.
#pragma once

#include "common/system/unique_fd.h"

#include <atomic>
#include <sys/types.h>

namespace healthcheckd::worker {

// The memory that both sides see, a descriptor for the worker to inherit. Empty, with errno, when there is
// none to be had: then a look that hangs is one at an unknown process.
UniqueFd make_look_mark();

// The process that the worker is looking at; 0: none, or not known. What the worker says is gossip: a number
// that is no pid is 0.
pid_t read_look_mark(const UniqueFd& mark);

// The worker's side.
class LookMark {
public:
    // Maps what `fd` is; -1, or a failure: nothing is noted. Before confinement.
    explicit LookMark(int fd);
    ~LookMark();
    LookMark(const LookMark&) = delete;
    LookMark& operator=(const LookMark&) = delete;

    // 0: no process.
    void at(pid_t pid) {
        if (place_ != nullptr)
            place_->store(pid, std::memory_order_relaxed);
    }

private:
    std::atomic<pid_t>* place_ = nullptr;
};

}  // namespace healthcheckd::worker
