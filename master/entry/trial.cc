#include "master/entry/trial.h"

#include "master/entry/trial_child.h"

#include <optional>

namespace healthcheckd::master {

void try_child(Task& task, WorkerUids& uids, SandboxLevel level,
               const std::function<void(Result<void>)>& done) {
    ChildSpec spec(children::kTrial);
    spec.user = uids.take();
    spec.main = [level, user = spec.user](pid_t master) {
        return run_trial(level, *user, master);
    };
    const auto on_end = [&task, done](const std::optional<ChildEnd>& end) {
        done(end && end->is_exit(1) ? Error{task.failure()} : Result<void>());
    };
    if (!task.start(spec, {.limit = children::kTrial.limit}, {.on_end = on_end}))
        done({});
}

}  // namespace healthcheckd::master
