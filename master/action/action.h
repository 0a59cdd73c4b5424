// The actions, each in a short-lived child that carries it out. Action.
#pragma once

#include "master/notice/incident.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::master {

// Says what the action does now and how long that may take; the master ends a child that overruns.
using StageReport = std::function<void(std::chrono::milliseconds limit, std::string_view what)>;

class LinkClient;
class CommandGuard;

// Each runs in its own child, blocks as it likes, and is bounded in time by itself.
// `before_stop` is called just before supervisord is asked to stop the program, with supervisord's start time
// of the process (seconds) that is stopped.
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

}  // namespace healthcheckd::master
