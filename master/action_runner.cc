#include "master/action_runner.h"

#include "common/log.h"
#include "master/action_process.h"

#include <algorithm>
#include <csignal>

namespace healthcheckd::master {

namespace {

ActionRequest request_of(const Cat& cat, const Report& report, const Program* program,
                         const std::string& state_dir) {
    ActionRequest request;
    request.cat = cat.config();
    request.cat_name = cat.name();
    request.program = cat.program();
    request.evidence = report;
    request.failures = cat.threshold().limits().failure;
    request.program_start = program != nullptr ? program->start : 0;
    request.program_state = program != nullptr ? program->state_text() : "";
    request.of_program = cat.bound_to_process();
    request.at = std::chrono::system_clock::now();
    request.state_dir = state_dir;
    return request;
}

MailKind mail_kind(Event event) {
    return event == Event::resolved       ? MailKind::resolved
           : event == Event::unmeasurable ? MailKind::unknown
                                          : MailKind::failed;
}

// The first lines of a command's output; the mail has all that was kept.
void log_output(const std::string& who, std::string_view output) {
    constexpr int kMostLines = 20;
    int lines = 0;
    while (!output.empty()) {
        const std::size_t end = output.find('\n');
        const std::string_view line = output.substr(0, end);
        output.remove_prefix(end == std::string_view::npos ? output.size() : end + 1);
        if (line.empty())
            continue;
        if (++lines > kMostLines) {
            log::info(who, "output: ... {} more bytes", line.size() + output.size());
            return;
        }
        log::info(who, "output: {}", line);
    }
}

}  // namespace

ActionRunner::~ActionRunner() {
    for (const Running& running : running_) {
        needs_.spawner.forget(running.pid);
        needs_.spawner.kill(running.pid);
    }
}

void ActionRunner::on_event(const std::shared_ptr<Cat>& cat, Event event, const Report& report) {
    if (stopping_ || event == Event::none)
        return;
    const CatConfig& config = cat->config();
    MailEvent mail{mail_kind(event),
                   request_of(*cat, report, needs_.find_program(cat->program()), needs_.state_dir),
                   event == Event::fired ? main_action(config.action) : MainAction::none,
                   {}};
    if (mail.action != MainAction::none) {
        if (may_run(*cat, report))
            start(cat, std::move(mail));
        return;
    }
    const bool wanted = event == Event::resolved ? config.send_resolved : true;
    if (!config.action.email || !wanted)
        return;
    // The program may be well again before its action has ended: "resolved" must not arrive before "failed".
    for (Running& running : running_)
        if (!running.done && running.event.request.cat_name == cat->name()) {
            running.mails_after.push_back(std::move(mail));
            return;
        }
    needs_.mails.add(cat->who(), std::move(mail));
}

bool ActionRunner::may_run(const Cat& cat, const Report& report) const {
    if (const Running* other = running_for(cat.program())) {
        log::info(cat.who(), "{} dropped: {} of {} is under way for {}",
                  to_string(main_action(cat.config().action)), to_string(other->event.action),
                  other->event.request.cat_name, cat.program());
        return false;
    }
    const Program* program = needs_.find_program(cat.program());
    if (cat.bound_to_process() && program != nullptr &&
        (program->state == kStopping || program->state == kStopped)) {
        log::info(cat.who(), "{} dropped: somebody is stopping {}",
                  to_string(main_action(cat.config().action)), cat.program());
        return false;
    }
    if (cat.bound_to_process() && program != nullptr && report.process != program->process) {
        log::info(cat.who(), "{} dropped: the verdict is about pid {}, the program has pid {} now",
                  to_string(main_action(cat.config().action)), report.process.pid, program->process.pid);
        return false;
    }
    if (program != nullptr && restarted_here(cat, *program)) {
        log::info(cat.who(), "restart dropped: healthcheckd itself has just restarted {}", cat.program());
        return false;
    }
    return true;
}

bool ActionRunner::restarted_here(const Cat& cat, const Program& program) const {
    if (cat.config().type != CheckType::restart || main_action(cat.config().action) != MainAction::restart ||
        !program.runs())
        return false;
    const auto found = restarted_.find(program.name);
    return found != restarted_.end() && found->second == program.starts;
}

const ActionRunner::Running* ActionRunner::running_for(const std::string& program) const {
    const auto found = std::find_if(running_.begin(), running_.end(), [&](const Running& running) {
        return !running.done && running.event.request.program == program;
    });
    return found == running_.end() ? nullptr : &*found;
}

void ActionRunner::start(const std::shared_ptr<Cat>& cat, MailEvent event) {
    const MainAction action = event.action;
    const auto running = running_.emplace(running_.end());
    running->who = cat->who();
    running->cat = cat;
    running->event = std::move(event);
    if (const Program* program = needs_.find_program(cat->program()))
        running->starts = program->starts;
    log::info(running->who, "{} begins", to_string(action));

    ChildSpec spec;
    spec.title = "healthcheckd: action " + cat->name() + ' ' + std::string(to_string(action));
    UniqueFd peer;
    if (action == MainAction::restart || (action == MainAction::kill && cat->bound_to_process())) {
        auto opened = needs_.open_peer();
        if (!opened && action == MainAction::restart) {
            finish(*running, {false, "supervisord cannot be asked: " + opened.error().text(), {}});
            running_.erase(running);
            return;
        }
        if (opened) {
            peer = std::move(*opened);
            spec.extra_fds = {peer.get()};
        }
    }
    spec.main = [action, request = running->event.request, link = peer ? kFirstExtraFd : -1](pid_t) {
        return run_action(action, request, link);
    };
    auto child = needs_.spawner.spawn(spec, [this, running](const ChildEnd& end) { on_end(running, end); });
    if (!child) {
        finish(*running, {false, "no process could be started: " + child.error().text(), {}});
        running_.erase(running);
        return;
    }
    running->pid = child->pid;
    running->control = std::move(child->control);
    running->reader = std::make_unique<ReportReader>(
        needs_.loop, std::move(child->report), ReportReader::Limits{},
        [this, running](std::string_view text) { on_line(*running, text); },
        [this, running](std::string_view why) { terminate(*running, std::string(why)); });
    running->deadline = std::make_unique<Timer>(needs_.loop, [this, running] {
        // After a standstill of the master its timers come before what the child has long said.
        running->reader->drain();
        if (running->done && !std::exchange(running->drained, true))
            return running->deadline->start(kTermLimit);
        if (!running->done && Clock::now() < running->limit_at)
            return running->deadline->start_at(running->limit_at);
        terminate(*running,
                  "not finished in time" + (running->stage.empty() ? "" : " (" + running->stage + ')'));
    });
    running->deadline->start(kFirstLimit);
}

void ActionRunner::on_line(Running& running, std::string_view text) {
    ActionLine line;
    if (!decode(text, line)) {
        terminate(running, "its process broke the protocol");
        return;
    }
    if (const auto* stage = std::get_if<Stage>(&line)) {
        running.stage = stage->message;
        const Milliseconds limit = std::min(kMostLimit, Milliseconds(stage->limit_ms) + kFirstLimit);
        running.limit_at = Clock::now() + limit;
        running.deadline->start(limit);
        log::debug(running.who, "{}: {}", to_string(running.event.action), stage->message);
    } else if (const auto* output = std::get_if<Output>(&line)) {
        std::string& kept = running.event.result.output;
        kept.append(output->text, 0, kOutputBytes - std::min(kOutputBytes, kept.size()));
    } else if (const auto* done = std::get_if<Done>(&line)) {
        if (!running.done)
            finish(running, {done->ok, done->message, running.event.result.output, done->unfinished});
    }
}

// On SIGTERM a child ends its command's whole tree; SIGKILL, for one that does not end, would leave the tree
// behind.
void ActionRunner::terminate(Running& running, const std::string& why) {
    if (!running.done)
        finish(running, {false, why, {}, running.event.action == MainAction::restart});
    if (std::exchange(running.terminated, true)) {
        needs_.spawner.kill(running.pid);
        return;
    }
    ::kill(running.pid, SIGTERM);
    running.deadline->start(kTermLimit);
}

void ActionRunner::finish(Running& running, ActionResult result) {
    running.done = true;
    const std::string_view action = to_string(running.event.action);
    if (result.ok)
        log::info(running.who, "{} done: {}", action, result.message);
    else
        log::error(running.who, "{} failed: {}", action, result.message);
    log_output(running.who, result.output);
    if (result.left_stopped)
        needs_.on_left_stopped();
    if (running.event.action == MainAction::restart) {
        if (result.ok)
            restarted_[running.event.request.program] = running.starts + 1;
        needs_.on_restarted();
    }
    running.event.result = std::move(result);
    const auto cat = running.cat.lock();
    if (cat)
        cat->last_action = Cat::LastAction{std::chrono::system_clock::now(), std::string(action),
                                           running.event.result.ok, running.event.result.message};
    if (running.event.request.cat.action.email)
        needs_.mails.add(running.who, running.event);
    for (MailEvent& mail : running.mails_after)
        needs_.mails.add(running.who, std::move(mail));
    running.mails_after.clear();
}

void ActionRunner::on_end(std::list<Running>::iterator running, const ChildEnd& end) {
    running->reader->drain();
    if (!running->done)
        finish(*running,
               {false, "its process ended: " + end.text(), {}, running->event.action == MainAction::restart});
    running_.erase(running);
}

std::size_t ActionRunner::under_way() const {
    return static_cast<std::size_t>(std::count_if(running_.begin(), running_.end(),
                                                  [](const Running& running) { return !running.done; }));
}

void ActionRunner::stop_now() {
    for (Running& running : running_) {
        if (!running.done)
            log::error(running.who, "{} was not finished{}: healthcheckd stops{}",
                       to_string(running.event.action),
                       running.stage.empty() ? "" : " (" + running.stage + ')',
                       running.event.action == MainAction::restart ? "; its next start sees to it" : "");
        ::kill(running.pid, SIGTERM);
    }
}

}  // namespace healthcheckd::master
