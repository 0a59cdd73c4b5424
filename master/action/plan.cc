#include "master/action/plan.h"

#include "common/config/values.h"

#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

std::string process_of(const ActionRequest& request) {
    return request.evidence.process.running() ? fmt::format(" (pid {})", request.evidence.process.pid) : "";
}

}  // namespace

std::string plan_of(MainAction action, const ActionRequest& request) {
    switch (action) {
    case MainAction::none:
        return "";
    case MainAction::restart:
        return "restart " + request.program + process_of(request) + " through supervisord";
    case MainAction::kill:
        return "send SIGKILL to " + request.program + process_of(request);
    case MainAction::exec:
        // Not what it is: it may hold a password, and this goes to files and to people.
        return fmt::format("run its execCmd for at most {} s", seconds_text(request.cat.exec_timeout));
    }
    __builtin_unreachable();
}

ActionResult rehearse(MainAction action, const ActionRequest& request) {
    return {.ok = true, .message = "dry run, nothing was done: would " + plan_of(action, request)};
}

}  // namespace healthcheckd::master
