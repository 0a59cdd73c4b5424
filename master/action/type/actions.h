// What the actions do, with what they need open to tests. Action.
#pragma once

#include "master/action/run.h"

#include <functional>
#include <optional>

namespace healthcheckd {

// The settings of exec.
struct ExecAction : SettingsOf<ExecAction> {
    Secret command;  // for the action's child only
    std::chrono::milliseconds timeout{60000};

    void drop_secrets() override { command = {}; }
};

namespace master {

// Called just before supervisord is asked to stop the program, with supervisord's start time of the process (seconds)
// that is stopped.
using BeforeStop = std::function<void(std::int64_t start)>;
ActionResult run_restart(const ActionRequest& request, LinkClient& link, const StageReport& stage,
                         const BeforeStop& before_stop = {});

// `supervisord`: asked whether somebody is just stopping the program. No link, or no answer by it within 6 s,
// does not keep the process alive; but see look_again(), which has to see whose process it is.
ActionResult run_kill(const ActionRequest& request, LinkClient* supervisord = nullptr);
// `master`: the root of healthcheckd's own processes. `guard`: of the command, see run_shell(); made when the
// command begins, unless it is there.
ActionResult run_exec(const ActionRequest& request, pid_t master, const StageReport& stage,
                      std::optional<CommandGuard>& guard);

}  // namespace master
}  // namespace healthcheckd
