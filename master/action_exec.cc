// The command of a cat. Action.
#include "common/number_text.h"
#include "master/action.h"
#include "master/command.h"

#include <cmath>
#include <csignal>
#include <sys/wait.h>

namespace healthcheckd::master {

namespace {

// What the child may take on top of limit and grace before the master ends it.
constexpr std::chrono::milliseconds kSlack{3000};

std::string seconds_text(std::chrono::milliseconds time) {
    return number_text(std::round(static_cast<double>(time.count()) / 100) / 10) + " s";
}

std::string end_text(const CommandEnd& end, std::chrono::milliseconds limit) {
    const std::string late = "timed out after " + seconds_text(limit) + ": ";
    switch (end.how) {
    case CommandEnd::How::terminated:
        return late + "ended by SIGTERM";
    case CommandEnd::How::killed:
        return late + "ended by SIGKILL";
    case CommandEnd::How::stuck:
        return late + "SIGKILL did not end it";
    case CommandEnd::How::by_itself:
        break;
    }
    if (WIFSIGNALED(end.status)) {
        const char* name = ::sigabbrev_np(WTERMSIG(end.status));
        return name != nullptr ? std::string("killed by SIG") + name
                               : "killed by signal " + std::to_string(WTERMSIG(end.status));
    }
    return "exit status " + std::to_string(WEXITSTATUS(end.status)) + " in " + seconds_text(end.took);
}

}  // namespace

ActionResult run_exec(const ActionRequest& request, const StageReport& stage, const CommandCgroup* group) {
    const CatConfig& cat = request.cat;
    const Report& evidence = request.evidence;
    ShellCommand command;
    command.text = cat.exec_cmd;
    command.limit = cat.exec_timeout;
    // Data of the check goes by the environment only, never into the shell's text. Without a process _PID is
    // empty: `kill 0` would hit the command's own group.
    command.env = {
        {"HEALTHCHECK_CAT", request.cat_name},
        {"HEALTHCHECK_PROGRAM", request.program},
        {"HEALTHCHECK_TYPE", std::string(to_string(cat.type))},
        {"HEALTHCHECK_STATUS", "failure"},
        {"HEALTHCHECK_PID", evidence.process.running() ? std::to_string(evidence.process.pid) : ""},
        {"HEALTHCHECK_VALUE", number_text(evidence.value)},
        {"HEALTHCHECK_LIMIT", number_text(evidence.limit)},
        {"HEALTHCHECK_UNIT", evidence.unit},
        {"HEALTHCHECK_MESSAGE", evidence.message},
    };
    stage(command.limit + command.grace + kSlack, "runs " + printable(cat.exec_cmd, 200));
    auto end = run_shell(command, group);
    ActionResult result;
    if (!end) {
        result.message = "the command could not be run: " + end.error().text();
        return result;
    }
    result.ok =
        end->how == CommandEnd::How::by_itself && WIFEXITED(end->status) && WEXITSTATUS(end->status) == 0;
    result.message = end_text(*end, command.limit);
    result.output = std::move(end->output);
    return result;
}

}  // namespace healthcheckd::master
