#include "master/entry/trial.h"

#include "common/sandbox/sandbox.h"
#include "common/wire/say.h"

#include <optional>

namespace healthcheckd::master {

namespace {

constexpr Milliseconds kLimit{3'000};

int live_briefly(SandboxLevel level, const ChildUser& user, pid_t master) {
    SandboxProfile profile;
    profile.name = "trial";
    profile.uid = user.uid;
    profile.gid = user.gid;
    const auto confined = enter_sandbox(profile, level, master);
    if (confined)
        return 0;
    say(Broken{confined.error().text()});
    return 1;
}

}  // namespace

void try_child(Task& task, WorkerUids& uids, SandboxLevel level,
               const std::function<void(Result<void>)>& done) {
    ChildSpec spec;
    spec.title = "healthcheckd: trial";
    spec.user = uids.take();
    spec.main = [level, user = spec.user](pid_t master) {
        return live_briefly(level, *user, master);
    };
    const auto on_end = [&task, done](const std::optional<ChildEnd>& end) {
        done(end && end->is_exit(1) ? Error{task.failure()} : Result<void>());
    };
    if (!task.start(spec, {.limit = kLimit}, {.on_end = on_end}))
        done({});
}

}  // namespace healthcheckd::master
