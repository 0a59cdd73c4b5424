// The functions of the actions, with their dependencies as parameters for tests. Action.
#pragma once

#include "master/action/run.h"

#include <functional>
#include <optional>

namespace healthcheckd {

// The settings of exec.
struct ExecAction : SettingsOf<ExecAction> {
    Secret command;  // read only by the action's child
    std::chrono::milliseconds timeout{60000};

    void drop_secrets() override { command = {}; }
};

namespace master {

// Called just before supervisord is asked to stop the program. `start`: supervisord's start time (seconds) of
// the process that will be stopped.
using BeforeStop = std::function<void(std::int64_t start)>;
ActionResult run_restart(const ActionRequest& request, LinkClient& link, const StageReport& stage,
                         const BeforeStop& before_stop = {});

// `supervisord`: asked whether the program is being stopped right now. Without a link, or an answer within 6
// s, the process is killed all the same, provided that look_again() can tell whose process it is.
ActionResult run_kill(const ActionRequest& request, LinkClient* supervisord = nullptr);
// `master`: the root of healthcheckd's own processes. `guard`: of the command, see run_shell(); created when
// the command begins, unless it exists.
ActionResult run_exec(const ActionRequest& request, pid_t master, const StageReport& stage,
                      std::optional<CommandGuard>& guard);

}  // namespace master
}  // namespace healthcheckd
