#include "master/action/type/restart.h"

#include "common/text/number.h"
#include "common/text/printable.h"

#include <optional>
#include <thread>

namespace healthcheckd::master {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Intervals between polls of supervisord: short at first, so that a quick restart is quick.
class Pauses {
public:
    explicit Pauses(const RestartTiming& timing) : timing_(timing), next_(timing.first_pause) {}

    void wait(bool answered) {
        std::this_thread::sleep_for(next_);
        next_ = std::min(next_ * 3 / 2, answered ? timing_.longest_pause : timing_.retry_pause);
    }

private:
    const RestartTiming& timing_;
    milliseconds next_;
};

bool no_answer(const CallResult& result) {
    return result.code < 0;
}

std::string explain(const CallResult& result, const std::string& program) {
    switch (result.code) {
    case kFaultShutdown:
        return "supervisord is shutting down";
    case kFaultBadName:
        return "supervisord has no program '" + program + "'";
    case kFaultNoFile:
        return "its command does not exist: " + result.message;
    case kFaultNotExecutable:
        return "its command cannot be executed: " + result.message;
    default:
        return no_answer(result)
                   ? result.message
                   : "supervisord's fault " + std::to_string(result.code) + ": " + result.message;
    }
}

std::string state_text(const ProgramLine& program) {
    std::string text(program_state_name(program.state));
    if (!program.spawn_error.empty())
        text += " (" + printable(program.spawn_error, 300) + ")";
    return text;
}

class Restart {
public:
    Restart(const ActionRequest& request, LinkClient& link, const StageReport& stage,
            const RestartTiming& timing, const BeforeStop& before_stop)
        : request_(request), link_(link), stage_(stage), timing_(timing), before_stop_(before_stop),
          name_(printable(request.program)) {}

    ActionResult run();

private:
    // Each step returns a result, which ends the restart, or nullopt to continue.
    using Outcome = std::optional<ActionResult>;
    Outcome examine();
    Outcome stop();
    Outcome order_start();
    ActionResult watch_start();

    bool newer_than_evidence() const;
    CallResult call(std::string_view op) { return link_.call(op, request_.program, timing_.call); }
    ActionResult failed(const std::string& why) const { return {false, done_ + why, {}}; }
    // Failed after supervisord may have stopped the program on our order.
    ActionResult left_stopped(const std::string& why) const { return {false, done_ + why, {}, true}; }
    ActionResult nothing_done(const std::string& why) const { return {false, why + "; nothing done", {}}; }
    std::string elapsed() const {
        return number_text(static_cast<double>(
                               std::chrono::duration_cast<milliseconds>(Clock::now() - begin_).count()) /
                           1000) +
               " s";
    }

    const ActionRequest& request_;
    LinkClient& link_;
    const StageReport& stage_;
    const RestartTiming& timing_;
    const BeforeStop& before_stop_;
    const std::string name_;
    const Clock::time_point begin_ = Clock::now();

    ProgramLine before_;  // before the restart
    SettingsLine settings_;
    std::string done_;  // what has been done so far: the beginning of the result's sentence
};

// Returns whether the running process is another one than the process that failed the check.
bool Restart::newer_than_evidence() const {
    if (!request_.of_program)
        return false;
    const pid_t pid = request_.evidence.process.pid;
    return (pid != 0 && before_.pid != 0 && before_.pid != pid) ||
           (request_.program_start != 0 && before_.start != 0 && before_.start != request_.program_start);
}

// Queries supervisord before changing anything. Its answer also shows that it does not hang: a
// stop order to a hanging supervisord would wait in its socket and be carried out when nobody is
// left to start the program again.
Restart::Outcome Restart::examine() {
    stage_(2 * timing_.call + seconds(5), "asking supervisord about " + name_);
    const CallResult info = call("info");
    if (!info.ok())
        return nothing_done(explain(info, name_));
    before_ = info.program;
    switch (before_.state) {
    case kStopped:
        return ActionResult{false,
                            before_.start == 0 ? name_ + " was never started; not started"
                                               : name_ + " was stopped by an operator; not started",
                            {}};
    case kStopping:
        return ActionResult{false, name_ + " is being stopped by somebody else; not started", {}};
    case kBackoff:
        // supervisord restarts the program by itself, with growing intervals. A stop and a start would gain
        // no more than one attempt, and would leave the program stopped if anything failed in between.
        return ActionResult{true,
                            "supervisord is already restarting " + name_ + ", " + state_text(before_) +
                                "; nothing done",
                            {}};
    case kStarting:
        // A check that finds the process itself may be ahead of what is known of supervisord's process.
        if (!request_.cat.type->counts_restarts && !newer_than_evidence())
            return nothing_done(name_ + " is STARTING");
        [[fallthrough]];
    case kRunning:
        if (newer_than_evidence())
            return ActionResult{true,
                                name_ + " was already restarted (pid " +
                                    std::to_string(request_.evidence.process.pid) + " -> " +
                                    std::to_string(before_.pid) + "); nothing done",
                                {}};
        break;
    case kExited:
    case kFatal:
        // The check found its process by name or pid file: another process failed than the one that ended.
        if (request_.cat.type->measures_process && !request_.of_program)
            return nothing_done(name_ + " is " + state_text(before_));
        break;
    default:
        return nothing_done("supervisord does not know the state of " + name_);
    }

    // Only for the length of timeouts: without an answer, supervisord's defaults are used.
    const CallResult settings = call("settings");
    if (settings.code == kCallTimeout || settings.code == kCallUnreachable || settings.code == kCallLinkLost)
        return nothing_done(explain(settings, name_));
    if (settings.ok())
        settings_ = settings.settings;
    return std::nullopt;
}

// Waits until the program no longer runs.
Restart::Outcome Restart::stop() {
    const milliseconds limit = seconds(settings_.stopwaitsecs) + timing_.persistence;
    stage_(limit + 3 * timing_.call, "STOPPING " + name_ + " (pid " + std::to_string(before_.pid) +
                                         ", stopwaitsecs " + std::to_string(settings_.stopwaitsecs) + ")");
    const Clock::time_point deadline = Clock::now() + limit;
    Pauses pauses(timing_);
    bool order = true;    // send the order in this round
    bool ours = false;    // an order of ours may have reached supervisord
    bool theirs = false;  // the program had stopped before our order
    ProgramLine now = before_;
    std::string trouble;
    for (bool first = true; Clock::now() < deadline; first = false) {
        if (!first)
            pauses.wait(trouble.empty());
        if (order) {
            const CallResult stopped = call("stop");
            order = false;
            theirs = stopped.code == kFaultNotRunning && !ours;
            ours = ours || stopped.ok() || no_answer(stopped);
            if (stopped.code > 0 && stopped.code != kFaultNotRunning)
                return ours ? left_stopped(explain(stopped, name_)) : nothing_done(explain(stopped, name_));
        }
        const CallResult info = call("info");
        trouble = info.ok() ? "" : explain(info, name_);
        if (info.code == kCallLinkLost || info.code > 0)
            return ours ? left_stopped("asked supervisord to stop it; then: " + trouble) : failed(trouble);
        if (!info.ok())
            continue;
        now = info.program;
        if (theirs && (now.state == kStopped || now.state == kStopping))
            return ActionResult{false, name_ + " was stopped by an operator meanwhile; not started", {}};
        if (now.state == kStopped || now.state == kExited || now.state == kFatal) {
            done_ = (theirs ? "ended: pid " : "stopped pid ") + std::to_string(before_.pid) + ", ";
            return std::nullopt;
        }
        if (now.state == kStopping)
            continue;
        if (now.pid != 0 && now.pid != before_.pid)
            return ActionResult{true,
                                name_ + " was restarted by somebody else meanwhile (pid " +
                                    std::to_string(before_.pid) + " -> " + std::to_string(now.pid) + ")",
                                {}};
        order = true;  // it is still running: the order was lost
    }
    return left_stopped(name_ + " (pid " + std::to_string(before_.pid) + ") did not stop in " + elapsed() +
                        ": " + (trouble.empty() ? state_text(now) : trouble) + "; look after it by hand");
}

// Waits until supervisord has accepted the order to start the program.
Restart::Outcome Restart::order_start() {
    stage_(timing_.persistence + seconds(settings_.startsecs) + timing_.start_grace + 3 * timing_.call,
           "STARTING " + name_);
    const Clock::time_point deadline = Clock::now() + timing_.persistence;
    Pauses pauses(timing_);
    for (;;) {
        const CallResult started = call("start");
        switch (started.code) {
        case kCallOk:
        case kFaultAlreadyStarted:  // by an operator, or by an order of ours whose answer was lost
        case kFaultSpawnError:      // supervisord tries again; its table has the details
            return std::nullopt;
        case kFaultShutdown:
            return left_stopped(explain(started, name_) + "; not started");
        default:
            if (!no_answer(started) || started.code == kCallLinkLost || Clock::now() >= deadline)
                return left_stopped("but it could not be started: " + explain(started, name_));
        }
        pauses.wait(false);
    }
}

// Waits until the program has run for startsecs, or has failed to.
ActionResult Restart::watch_start() {
    const Clock::time_point deadline = Clock::now() + seconds(settings_.startsecs) + timing_.start_grace;
    Pauses pauses(timing_);
    std::string pid;  // " pid 15", once it is known
    std::string trouble;
    for (;;) {
        const CallResult info = call("info");
        trouble = info.ok() ? "" : explain(info, name_);
        if (info.code > 0 || info.code == kCallLinkLost)
            return failed("started" + pid + ", but then: " + trouble);
        const ProgramLine& now = info.program;
        if (info.ok()) {
            if (now.pid != 0)
                pid = " pid " + std::to_string(now.pid);
            switch (now.state) {
            case kRunning:
                return {true, done_ + "started" + pid + ", running after " + elapsed(), {}};
            case kStarting:
                break;
            case kStopped:
            case kStopping:
                return failed("started" + pid + ", but it was stopped by an operator since");
            case kExited:
                return failed("started" + pid + ", but it ended at once with exit status " +
                              std::to_string(now.exit_status));
            default:
                return failed("but it does not start: " + state_text(now));
            }
        }
        if (Clock::now() >= deadline)
            break;
        pauses.wait(info.ok());
    }
    // The order was accepted and nothing has failed; taking longer than startsecs is no error.
    return {true,
            done_ + "started" + pid + ", " + (trouble.empty() ? "still STARTING" : trouble) + " after " +
                elapsed(),
            {}};
}

ActionResult Restart::run() {
    if (auto end = examine())
        return *end;
    if (before_.state == kStarting || before_.state == kRunning) {
        if (before_stop_)
            before_stop_(before_.start);
        if (auto end = stop())
            return *end;
    } else {
        done_ = "was " + state_text(before_) + ", ";
    }
    if (auto end = order_start())
        return *end;
    return watch_start();
}

}  // namespace

ActionResult restart_program(const ActionRequest& request, LinkClient& link, const StageReport& stage,
                             const RestartTiming& timing, const BeforeStop& before_stop) {
    return Restart(request, link, stage, timing, before_stop).run();
}

ActionResult run_restart(const ActionRequest& request, LinkClient& link, const StageReport& stage,
                         const BeforeStop& before_stop) {
    return restart_program(request, link, stage, RestartTiming{}, before_stop);
}

}  // namespace healthcheckd::master
