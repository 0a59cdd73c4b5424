// The action `exec`: the command of a cat. Action; its keys, configuration child and master.
#include "common/config/accessors.h"
#include "common/config/draft.h"
#include "common/text/number.h"
#include "master/action/command.h"
#include "master/action/measured_process.h"
#include "master/action/type/actions.h"

#include <cmath>
#include <csignal>
#include <spdlog/fmt/fmt.h>
#include <sys/wait.h>

namespace healthcheckd {

namespace {

// Additional time, after limit and grace, before the master ends the child.
constexpr std::chrono::milliseconds kSlack{3000};

std::string tenths_text(std::chrono::milliseconds time) {
    return number_text(std::round(static_cast<double>(time.count()) / 100) / 10) + " s";
}

std::string end_text(const master::CommandEnd& end, std::chrono::milliseconds limit) {
    using How = master::CommandEnd::How;
    const std::string late = "timed out after " + tenths_text(limit) + ": ";
    switch (end.how) {
    case How::terminated:
        return late + "ended by SIGTERM";
    case How::killed:
        return late + "ended by SIGKILL";
    case How::stuck:
        return late + "SIGKILL did not end it";
    case How::by_itself:
        break;
    }
    if (WIFSIGNALED(end.status)) {
        const char* name = ::sigabbrev_np(WTERMSIG(end.status));
        return name != nullptr ? std::string("killed by SIG") + name
                               : "killed by signal " + std::to_string(WTERMSIG(end.status));
    }
    return "exit status " + std::to_string(WEXITSTATUS(end.status)) + " in " + tenths_text(end.took);
}

Result<void> check_command(std::string_view text) {
    return check_script(text, 32 * 1024);
}

constexpr Key kExecKeys[] = {
    {.name = "execCmd",
     .sensitivity = Sensitivity::command,
     .set = set_action_secret<&ExecAction::command, check_command>,
     .get = get_secret<&ExecAction::command>},
    {.name = "execTimeoutSeconds",
     .set = set_seconds<&ExecAction::timeout, 100>,
     .get = get_seconds<&ExecAction::timeout>},
};

void check_exec(const SectionDraft& draft, const CatConfig&, Diagnostics& diagnostics) {
    if (!draft.has("execCmd"))
        diagnostics.error(draft.place_of("action"), draft.path_of("execCmd"), "is missing: action is exec");
}

// Does not quote the command: it may contain a password, and the text goes to files and to people.
std::string exec_plan(const master::ActionRequest& request) {
    return fmt::format("run its execCmd for at most {} s",
                       seconds_text(request.cat.own<ExecAction>().timeout));
}

}  // namespace

master::ActionResult master::run_exec(const ActionRequest& request, pid_t master, const StageReport& stage,
                                      std::optional<CommandGuard>& guard) {
    const CatConfig& cat = request.cat;
    const auto& exec = cat.own<ExecAction>();
    const Report& evidence = request.evidence;
    ActionResult result;
    ShellCommand command;
    command.text = exec.command.view();
    if (command.text.empty()) {
        result.message = "its execCmd cannot be read";
        return result;
    }
    command.limit = exec.timeout;
    // Data of the check is passed only in the environment, never in the shell's text. Without a process _PID
    // is empty: `kill 0` would hit the command's own process group.
    command.env = {
        {"HEALTHCHECK_CAT", request.cat_name},
        {"HEALTHCHECK_PROGRAM", request.program},
        {"HEALTHCHECK_TYPE", std::string(to_string(cat.type))},
        {"HEALTHCHECK_STATUS", "failure"},
        {"HEALTHCHECK_PID", ""},
        {"HEALTHCHECK_VALUE", number_text(evidence.value)},
        {"HEALTHCHECK_LIMIT", number_text(evidence.limit)},
        {"HEALTHCHECK_UNIT", evidence.unit},
        {"HEALTHCHECK_MESSAGE", evidence.message},
    };
    if (evidence.process.running()) {
        command.looked_up = "HEALTHCHECK_PID";
        command.last_look = [&] {
            const ProcessLook process = look_now(request, master);
            return process.is == ProcessLook::Is::same ? LastLook{std::to_string(evidence.process.pid), {}}
                                                       : LastLook{{}, process.why};
        };
    }
    stage(command.look_limit + command.limit + command.grace + kSlack, "runs its execCmd");
    if (!guard)
        guard.emplace();
    auto end = run_shell(std::move(command), *guard);
    if (!end) {
        result.message = "the command could not be run: " + end.error().text();
        return result;
    }
    result.ok =
        end->how == CommandEnd::How::by_itself && WIFEXITED(end->status) && WEXITSTATUS(end->status) == 0;
    result.message = end_text(*end, exec.timeout);
    if (!end->remark.empty())
        result.message += ", without HEALTHCHECK_PID: " + end->remark;
    result.output = std::move(end->output);
    return result;
}

extern const ActionType kExecAction{
    .name = "exec",
    .rank = 2,
    .has_environment = true,
    .make_settings = make_settings<ExecAction>,
    .keys = kExecKeys,
    .check = check_exec,
    .plan = exec_plan,
    .run =
        [](master::ActionRun& run) {
            run.command_limit = run.request.cat.own<ExecAction>().timeout;
            return run_exec(run.request, ::getppid(), run.stage, run.guard);
        },
};

}  // namespace healthcheckd
