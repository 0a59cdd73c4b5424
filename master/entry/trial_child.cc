#include "master/entry/trial_child.h"

#include "common/sandbox/child_kinds.h"
#include "common/wire/say.h"

namespace healthcheckd::master {

int run_trial(SandboxLevel level, const ChildUser& user, pid_t master) {
    SandboxProfile profile = profile_of(children::kTrial);
    profile.uid = user.uid;
    profile.gid = user.gid;
    const auto confined = enter_sandbox(profile, level, master);
    if (confined)
        return 0;
    say(Broken{confined.error().text()});
    return 1;
}

}  // namespace healthcheckd::master
