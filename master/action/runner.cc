#include "master/action/runner.h"

#include "common/log/log.h"
#include "master/action/action_child.h"
#include "master/action/cgroup.h"
#include "master/action/plan.h"
#include "master/config/texts.h"
#include "master/config/values.h"
#include "master/files/disk_work.h"
#include "master/notice/notice.h"
#include "master/supervisord/transport.h"

#include <algorithm>
#include <spdlog/fmt/ranges.h>

namespace healthcheckd::master {

namespace {

NoticeKind notice_kind(Event event) {
    return event == Event::resolved       ? NoticeKind::recovered
           : event == Event::unmeasurable ? NoticeKind::unmeasurable
                                          : NoticeKind::failed;
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

constexpr std::string_view kUnixScheme = "unix://";

// "STOPPING" of "its stop is ordered: STOPPING web (pid 12, stopwaitsecs 60)"; empty where a stage does not
// begin with supervisord's word for the program.
std::string phase_of(std::string_view stage) {
    if (stage.starts_with(kStopOrdered))
        stage.remove_prefix(kStopOrdered.size());
    const std::string_view word = stage.substr(0, stage.find(' '));
    const bool capitals = std::ranges::all_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
    return capitals ? std::string(word) : "";
}

}  // namespace

ActionRunner::ActionRunner(Needs needs) : needs_(std::move(needs)) {
    // Without it nobody counts; that costs memory at worst.
    if (auto places = DiskWork::make_places())
        places_ = std::move(*places);
}

ActionRunner::~ActionRunner() {
    for (const Running& running : running_) {
        needs_.spawner.forget(running.pid);
        needs_.spawner.kill(running.pid);
    }
}

Incident ActionRunner::incident_of(Cat& cat, Event event, const Report& report) {
    const Program* program = needs_.find_program(cat.program());
    Incident incident;
    incident.kind = notice_kind(event);
    incident.action = event == Event::fired ? main_action(cat.config().action) : MainAction::none;
    ActionRequest& request = incident.request;
    request.cat = cat.config().without_secrets();
    request.cat_name = cat.name();
    request.program = cat.program();
    request.evidence = report;
    request.failures = cat.threshold().limits().failure;
    request.program_start = program != nullptr ? program->start : 0;
    request.program_user = cat.program_user();
    request.of_supervisord = program != nullptr;
    if (needs_.config->supervisord_url.starts_with(kUnixScheme))
        request.supervisor_socket = needs_.config->supervisord_url.substr(kUnixScheme.size());
    request.supervisor_port = local_port(needs_.config->supervisord_url);
    request.files_are_here = needs_.programs_are_here();
    request.supervisor_rule = owner_rule(*needs_.config, needs_.supervisor_owner());
    request.own_line = own_line_;
    request.program_state = program != nullptr ? program->state_text() : "";
    request.of_program = cat.bound_to_process();
    request.at = std::chrono::system_clock::now();
    request.state_dir = needs_.config->state_dir;
    request.verdicts = cat.last_verdicts();
    request.channels = channels_of(*needs_.config, cat.config().action);
    // Never below the one before: a clock that is set back must not put a recovery before its failure.
    const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(request.at.time_since_epoch());
    last_id_ = std::max(now, last_id_);
    request.notice_id = fmt::format("{:020}-{:06}", last_id_.count(), incidents_++);
    request.life = needs_.life;
    return incident;
}

void ActionRunner::on_event(const std::shared_ptr<Cat>& cat, Event event, const Report& report) {
    if (stopping_ || event == Event::none)
        return;
    Incident incident = incident_of(*cat, event, report);
    if (incident.action != MainAction::none) {
        if (std::string refused = refusal(*cat, incident); !refused.empty())
            refuse(*cat, std::move(incident), std::move(refused));
        else if (const std::string why = obstacle(*cat, report); why.empty())
            start(cat, std::move(incident));
        else
            log::info(cat->who(), "{} dropped: {}", to_string(incident.action), why);
        return;
    }
    if (event == Event::fired && !incident.request.channels.empty())
        cat->on_failure_told();
    tell(std::move(incident));
}

void ActionRunner::tell(Incident incident) {
    if (incident.request.channels.empty())
        return;
    // The program may be well again before its action has ended: that must not be told before the failure.
    for (Running& running : running_)
        if (!running.spooled && running.incident.request.cat_name == incident.request.cat_name) {
            running.notices_after.push_back(std::move(incident));
            return;
        }
    needs_.notices.add(std::move(incident));
}

std::string ActionRunner::refusal(const Cat& cat, const Incident& incident) const {
    if (incident.action != MainAction::restart && incident.action != MainAction::kill)
        return "";
    const Program* program = needs_.find_program(cat.program());
    const bool own = program != nullptr && is_in(own_line_, program->process);
    if (!own && !is_in(own_line_, incident.request.evidence.process))
        return "";
    return fmt::format("healthcheckd itself runs by {} (pid {}), and would stop itself and not come back; "
                       "email, webhook and exec can be used for it",
                       cat.program(), own ? program->process.pid : incident.request.evidence.process.pid);
}

void ActionRunner::refuse(Cat& cat, Incident incident, std::string why) {
    log::error(cat.who(), "{} refused: {}", to_string(incident.action), why);
    incident.result = {false, "refused: " + std::move(why), {}};
    cat.on_action_ended(incident.action, false, incident.result.message);
    tell(std::move(incident));
}

std::string ActionRunner::obstacle(const Cat& cat, const Report& report) const {
    if (const Running* other = running_for(cat.program()))
        return fmt::format("{} of {} is under way for {}", to_string(other->incident.action),
                           other->incident.request.cat_name, cat.program());
    if (main_action(cat.config().action) == MainAction::restart && needs_.being_finished(cat.program()))
        return fmt::format("an unfinished restart of {} is being finished", cat.program());
    const Program* program = needs_.find_program(cat.program());
    if (cat.bound_to_process() && program != nullptr &&
        (program->state == kStopping || program->state == kStopped))
        return fmt::format("somebody is stopping {}", cat.program());
    if (cat.bound_to_process() && program != nullptr && report.process != program->process)
        return fmt::format("the verdict is about pid {}, the program has pid {} now", report.process.pid,
                           program->process.pid);
    if (program != nullptr && restarted_here(cat, *program))
        return fmt::format("healthcheckd itself has just restarted {}", cat.program());
    return "";
}

std::vector<std::string> ActionRunner::plan(Cat& cat) {
    Report report;
    if (cat.last_probe())
        report = cat.last_probe()->report;
    const Incident incident = incident_of(cat, Event::fired, report);
    std::vector<std::string> lines;
    if (cat.config().dry_run)
        lines.emplace_back("dry run: it would be told, and not be done");
    if (incident.action != MainAction::none)
        lines.push_back("would " + plan_of(incident.action, incident.request));
    for (const std::string& channel : incident.request.channels)
        lines.push_back("would tell " +
                        (channel == "mail" && needs_.config->mail
                             ? fmt::format("mail to {}", fmt::join(needs_.config->mail->to_list, ", "))
                             : channel));
    const bool nothing = lines.empty();
    if (!cat.config().enabled)
        lines.emplace_back("but it is not enabled: it is never probed");
    else if (cat.paused())
        lines.emplace_back("but it is paused: it is not probed");
    else if (!cat.last_probe())
        lines.emplace_back("it has not been probed yet");
    else if (const std::string refused = refusal(cat, incident); !refused.empty())
        lines.push_back("would be refused: " + refused);
    else if (const std::string why = obstacle(cat, report);
             !why.empty() && incident.action != MainAction::none)
        lines.push_back("would not begin now: " + why);
    if (nothing)
        lines.push_back(fmt::format("would do nothing: its action is {}, and nobody is there to be told",
                                    actions_text(cat.config().action)));
    return lines;
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
        return !running.done && running.incident.request.program == program;
    });
    return found == running_.end() ? nullptr : &*found;
}

void ActionRunner::start(const std::shared_ptr<Cat>& cat, Incident incident) {
    const MainAction action = incident.action;
    const auto running = running_.emplace(running_.end());
    running->who = cat->who();
    running->incident = std::move(incident);
    running->spooled = running->incident.request.channels.empty();
    if (const Program* program = needs_.find_program(cat->program()))
        running->starts = program->starts;
    log::info(running->who, "{} begins", to_string(action));
    cat->on_action_begun(action);

    ChildSpec spec;
    spec.title = "healthcheckd: action " + cat->name() + ' ' + std::string(to_string(action));
    spec.environment = action == MainAction::exec;
    UniqueFd peer;
    // A restart goes by way of it; a kill asks whether somebody is just stopping the program; who tells
    // people asks for the end of the program's log.
    const bool asks =
        action == MainAction::restart || (action == MainAction::kill && cat->bound_to_process()) ||
        (!running->spooled && running->incident.request.of_supervisord && running_.size() < kMostAsking);
    if (asks) {
        auto opened = needs_.open_peer();
        if (!opened && action == MainAction::restart) {
            finish(*running, {false, "supervisord cannot be asked: " + opened.error().text(), {}});
            release_notices(*running);
            running_.erase(running);
            return;
        }
        if (opened)
            peer = std::move(*opened);
    }
    const auto pass = [&spec](const UniqueFd& fd) {
        if (!fd)
            return -1;
        spec.extra_fds.push_back(fd.get());
        return kFirstExtraFd + static_cast<int>(spec.extra_fds.size()) - 1;
    };
    const int link = pass(peer);
    const int places = pass(places_);
    Incident told = running->incident;
    // What the cat said before is not in the spool yet: this goes there behind it.
    running->queues = needs_.notices.has(told.request.cat_name);
    if (running->queues)
        told.request.channels.clear();
    if (action == MainAction::exec) {
        const Worker::Identity& identity = cat->identity();
        told.request.command = identity.cat().exec_cmd;
        spec.secrets = identity.config->secrets.get();
        spec.group = SecretStore::action_group(static_cast<SecretStore::Group>(identity.index));
    }
    spec.main = [incident = std::move(told), link, places](pid_t) {
        return run_action(incident, link, places);
    };
    auto child = needs_.spawner.spawn(spec, [this, running](const ChildEnd& end) { on_end(running, end); });
    if (!child) {
        finish(*running, {false, "no process could be started: " + child.error().text(), {}});
        release_notices(*running);
        running_.erase(running);
        return;
    }
    running->pid = child->pid;
    running->control = std::move(child->control);
    running->reader = std::make_unique<ReportReader>(
        needs_.spawner.reports(), std::move(child->report), ReportReader::Limits{},
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
        running.stops = running.stops || stage->message.starts_with(kStopOrdered);
        const Milliseconds limit = std::min(kMostLimit, Milliseconds(stage->limit_ms) + kFirstLimit);
        running.limit_at = Clock::now() + limit;
        running.deadline->start(limit);
        log::debug(running.who, "{}: {}", to_string(running.incident.action), stage->message);
        if (const auto cat = needs_.find_cat(running.incident.request.cat_name))
            cat->on_action_phase(phase_of(stage->message));
    } else if (const auto* output = std::get_if<Output>(&line)) {
        std::string& kept = running.incident.result.output;
        kept.append(output->text, 0, kOutputBytes - std::min(kOutputBytes, kept.size()));
    } else if (const auto* done = std::get_if<Done>(&line)) {
        if (!running.done)
            finish(running, {done->ok, done->message, running.incident.result.output, done->unfinished});
        if (running.queues)
            release_notices(running);
    } else if (const auto* spooled = std::get_if<Spooled>(&line)) {
        if (running.done && !running.spooled)
            on_spooled(running, *spooled);
    } else if (const auto* broken = std::get_if<Broken>(&line)) {
        terminate(running, "its process ended: " + broken->message);
    }
}

// On SIGTERM a child ends its command's whole tree; SIGKILL, for one that does not end, would leave the tree
// behind.
void ActionRunner::terminate(Running& running, const std::string& why) {
    if (!running.done)
        finish(running, {false, why, {}, running.stops});
    if (std::exchange(running.terminated, true)) {
        needs_.spawner.kill(running.pid);
        return;
    }
    needs_.spawner.terminate(running.pid);
    running.deadline->start(kTermLimit);
}

void ActionRunner::finish(Running& running, ActionResult result) {
    running.done = true;
    const std::string_view action = to_string(running.incident.action);
    if (result.ok)
        log::info(running.who, "{} done: {}", action, result.message);
    else
        log::error(running.who, "{} failed: {}", action, result.message);
    log_output(running.who, result.output);
    if (result.left_stopped)
        needs_.on_left_stopped();
    if (running.incident.action == MainAction::restart) {
        if (result.ok && !running.incident.request.cat.dry_run)
            restarted_[running.incident.request.program] = running.starts + 1;
        needs_.on_restarted();
    }
    needs_.on_action_end();
    running.incident.result = std::move(result);
    // When it was changed meanwhile, the one that came in its place.
    if (const auto cat = needs_.find_cat(running.incident.request.cat_name))
        cat->on_action_ended(running.incident.action, running.incident.result.ok,
                             running.incident.result.message);
}

void ActionRunner::on_spooled(Running& running, const Spooled& spooled) {
    if (spooled.ok)
        needs_.mailer.look();
    else
        lose_one(needs_.mailer, running.incident, running.notices, spooled.message);
    running.spooled = ++running.notices >= running.incident.request.channels.size();
    if (running.spooled)
        release_notices(running);
}

// What the action's child did not tell, another one does; then what waited for it.
void ActionRunner::release_notices(Running& running) {
    if (!std::exchange(running.spooled, true)) {
        Incident rest = running.incident;
        auto& channels = rest.request.channels;
        channels.erase(channels.begin(), channels.begin() + static_cast<std::ptrdiff_t>(running.notices));
        needs_.notices.add(std::move(rest));
    }
    for (Incident& incident : running.notices_after)
        needs_.notices.add(std::move(incident));
    running.notices_after.clear();
}

void ActionRunner::on_end(std::list<Running>::iterator running, const ChildEnd& end) {
    running->reader->drain();
    if (!running->done)
        finish(*running, {false, "its process ended: " + end.text(), {}, running->stops});
    release_notices(*running);
    running_.erase(running);
}

void ActionRunner::clean_up() {
    ChildSpec spec;
    spec.title = "healthcheckd: old commands";
    spec.main = [](pid_t) {
        CommandCgroup::remove_stale();
        return 0;
    };
    spec.limit = kFirstLimit;
    (void)needs_.spawner.spawn(spec, {});  // if it cannot be done now: at the next start
}

std::set<std::string> ActionRunner::busy_programs() const {
    std::set<std::string> programs;
    for (const Running& running : running_)
        if (!running.done)
            programs.insert(running.incident.request.program);
    return programs;
}

std::size_t ActionRunner::under_way() const {
    return static_cast<std::size_t>(std::count_if(running_.begin(), running_.end(),
                                                  [](const Running& running) { return !running.done; }));
}

void ActionRunner::stop_now() {
    for (Running& running : running_) {
        if (!running.done)
            log::error(running.who, "{} was not finished{}: healthcheckd stops{}",
                       to_string(running.incident.action),
                       running.stage.empty() ? "" : " (" + running.stage + ')',
                       running.stops ? "; its next start sees to it" : "");
        needs_.spawner.terminate(running.pid);
    }
}

}  // namespace healthcheckd::master
