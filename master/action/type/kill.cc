// The action `kill`: SIGKILL to exactly the process that was measured. Action.
#include "common/proc/proc_stat.h"
#include "common/system/pidfd.h"
#include "common/system/readable.h"
#include "common/system/unique_fd.h"
#include "common/text/printable.h"
#include "master/action/measured_process.h"
#include "master/action/type/actions.h"
#include "master/supervisord/link_client.h"
#include "master/trust/own_line.h"

#include <csignal>
#include <sys/syscall.h>

namespace healthcheckd {

namespace {

using Clock = std::chrono::steady_clock;

// A process that hangs in the kernel (state D) ends only when it returns from there.
constexpr std::chrono::milliseconds kWaitForEnd{5000};
constexpr std::chrono::milliseconds kAskLimit{6000};
constexpr std::chrono::milliseconds kLookLimit{3000};

master::ActionResult failure(std::string message) {
    return {.ok = false, .message = std::move(message), .output = {}};
}

master::ActionResult success(std::string message) {
    return {.ok = true, .message = std::move(message), .output = {}};
}

// A pidfd becomes readable when its process ends (pidfd_open(2)).
bool ended_within(const UniqueFd& process, std::chrono::milliseconds limit) {
    return readable_by(process.get(), Clock::now() + limit);
}

// Returns why the process must be left to supervisord, which gives a program that it stops time to end; "":
// no reason. The master's table may be older than an operator's stop.
std::string reason_to_spare(const master::ActionRequest& request, master::LinkClient& supervisord) {
    const master::CallResult info = supervisord.call("info", request.program, kAskLimit);
    if (info.code == kFaultShutdown)
        return "supervisord is shutting down; not killed";
    if (info.ok() && (info.program.state == kStopping || info.program.state == kStopped))
        return printable(request.program) + " is being stopped by somebody else; not killed";
    if (info.ok() && info.program.state == kStarting && !request.cat.type->counts_restarts)
        return printable(request.program) + " is STARTING; not killed";
    return {};
}

std::string kill_plan(const master::ActionRequest& request) {
    return "send SIGKILL to " + request.program + master::measured_pid(request);
}

}  // namespace

master::ActionResult master::run_kill(const ActionRequest& request, LinkClient* supervisord) {
    const ProcessId target = request.evidence.process;
    const std::string who = "pid " + std::to_string(target.pid);
    if (target.pid == 0)
        return failure("no process was measured; nothing to kill");
    if (target.pid <= 1)
        return failure("refused to kill " + who);
    if (target.pid == ::getpid() || target.pid == ::getppid() || is_in(request.own_line, target))
        return failure("refused to kill " + who + ": healthcheckd itself runs by it");
    if (target.start_ticks == 0)
        return failure("refused to kill " + who + ": its start time was not measured");

    // The pidfd is opened first: from then on the pid cannot refer to another process. Then the process is
    // identified.
    const UniqueFd process = open_pidfd(target.pid);
    if (!process && errno == ESRCH)
        return success(who + " has already ended");
    if (!process)
        return failure(system_error("pidfd_open " + who).text());
    // In a child with a timeout, since reading /proc files of a process can hang.
    const ProcessLook look = look_again(request, ::getppid(), kLookLimit);
    if (look.is == ProcessLook::Is::ended)
        return success(who + " has already ended");
    if (look.is == ProcessLook::Is::unsure)
        return failure("refused to kill " + who + ": " + look.why);
    const auto stat = read_proc_stat(target.pid);
    if (!stat && (stat.error().code == ENOENT || stat.error().code == ESRCH))
        return success(who + " has already ended");
    if (!stat)
        return failure(stat.error().text());
    if (stat->start_ticks != target.start_ticks)
        return failure(who + " is another process now; nothing done");
    if (stat->ppid == ::getppid())
        return failure("refused to kill " + who + ": it is healthcheckd itself");
    if (look.is != ProcessLook::Is::same || !look.why.empty())
        return failure("refused to kill " + who + ": " + look.why);
    if (has_ended(process))
        return success(who + " has already ended");

    if (supervisord != nullptr)
        if (std::string reason = reason_to_spare(request, *supervisord); !reason.empty())
            return failure(std::move(reason));

    const auto start = Clock::now();
    if (::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) != 0) {
        if (errno == ESRCH)
            return success(who + " has already ended");
        const Error error = system_error("kill " + who);
        return failure(error.text() + (error.code == EPERM
                                           ? ", which takes CAP_KILL (in a container, cap_add: [KILL])"
                                           : ""));
    }
    if (!ended_within(process, kWaitForEnd))
        return failure("sent SIGKILL to " + who + ", but it had not ended after 5 s");
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    return success("killed " + who + " (SIGKILL), ended after " + std::to_string(took.count()) + " ms");
}

extern const ActionType kKillAction{
    .name = "kill",
    .rank = 3,
    .stops_program = true,
    .by_pid = true,
    .asks = ActionType::Asks::if_bound,
    .plan = kill_plan,
    .run = [](master::ActionRun& run) { return run_kill(run.request, run.link); },
};

}  // namespace healthcheckd
