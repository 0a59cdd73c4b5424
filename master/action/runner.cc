#include "master/action/runner.h"

#include "common/log/log.h"
#include "master/action/action_child.h"
#include "master/files/disk_work.h"
#include "master/trust/own_line.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

// Logs the first lines of a command's output; the mail has all that was kept.
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

// Returns "STOPPING" for "its stop is ordered: STOPPING web (pid 12, stopwaitsecs 60)"; "" when a stage does
// not begin with supervisord's state of the program.
std::string phase_of(std::string_view stage) {
    if (stage.starts_with(kStopOrdered))
        stage.remove_prefix(kStopOrdered.size());
    const std::string_view word = stage.substr(0, stage.find(' '));
    const bool capitals = std::ranges::all_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
    return capitals ? std::string(word) : "";
}

}  // namespace

ActionRunner::ActionRunner(Dependencies needs)
    : deps_(std::move(needs)), rules_({deps_.find_program, deps_.being_finished, own_line()}),
      old_commands_(deps_.loop, deps_.spawner) {
    // Without it, children waiting for a disk are not counted; at worst this costs memory.
    if (auto places = DiskWork::make_places())
        places_ = std::move(*places);
}

void ActionRunner::on_event(const std::shared_ptr<Cat>& cat, Event event, const Report& report) {
    if (stopping_ || event == Event::none)
        return;
    Incident incident = incident_of(*cat, event, report);
    if (incident.action != nullptr) {
        if (std::string refused = rules_.refusal(*cat, incident.action, incident.request.evidence);
            !refused.empty())
            refuse(*cat, std::move(incident), std::move(refused));
        else if (const std::string why = rules_.obstacle(*cat, report, work_at(cat->program())); why.empty())
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
    // The program may recover before its action has ended: the recovery must not be announced before the
    // failure.
    for (Running& running : running_)
        if (!running.spooled && running.incident.request.cat_name == incident.request.cat_name) {
            running.notices_after.push_back(std::move(incident));
            return;
        }
    deps_.notices.add(incident);
}

void ActionRunner::refuse(Cat& cat, Incident incident, std::string why) {
    log::error(cat.who(), "{} refused: {}", to_string(incident.action), why);
    incident.result = {false, "refused: " + std::move(why), {}};
    cat.on_action_ended(*incident.action, false, incident.result.message);
    tell(std::move(incident));
}

void ActionRunner::start(const std::shared_ptr<Cat>& cat, Incident incident) {
    const ActionType& action = *incident.action;
    const auto running = running_.emplace(running_.end());
    running->who = cat->who();
    running->incident = std::move(incident);
    running->spooled = running->incident.request.channels.empty();
    if (const Program* program = deps_.find_program(cat->program()))
        running->starts = program->starts;
    log::info(running->who, "{} begins", action.name);
    cat->on_action_begun(action);

    if (const auto started = start_child(running, cat); !started)
        give_up(running, started.error().what);
}

void ActionRunner::give_up(std::list<Running>::iterator running, std::string why) {
    finish(*running, {false, std::move(why), {}});
    release_notices(*running);
    running_.erase(running);
}

Result<void> ActionRunner::start_child(std::list<Running>::iterator running,
                                       const std::shared_ptr<Cat>& cat) {
    const ActionType& action = *running->incident.action;
    ChildSpec spec(children::kAction, cat->name() + ' ' + std::string(action.name));
    spec.environment = action.has_environment;
    UniqueFd peer;
    // An action that is announced reads the end of the program's log through the link.
    const bool needs_link = action.asks == ActionType::Asks::always;
    const bool asks =
        needs_link || (action.asks == ActionType::Asks::if_bound && cat->bound_to_process()) ||
        (!running->spooled && running->incident.request.of_supervisord && running_.size() < kMostAsking);
    if (asks) {
        auto opened = deps_.open_peer();
        if (!opened && needs_link)
            return Error{"supervisord cannot be asked: " + opened.error().text()};
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
    // Earlier notices of the cat are not in the spool yet: this one must follow them.
    running->queues = deps_.notices.has(told.request.cat_name);
    if (running->queues)
        told.request.channels.clear();
    if (action.make_settings != nullptr) {
        const Prober::Identity& identity = cat->identity();
        told.request.cat.settings_of(action) = identity.cat().settings_of(action);
        spec.secrets = identity.config->secrets.get();
        spec.group = SecretStore::action_group(static_cast<SecretStore::Group>(identity.index));
    }
    spec.main = [incident = std::move(told), link, places](pid_t) {
        return run_action(incident, link, places);
    };
    running->task = std::make_unique<Task>(deps_.loop, deps_.spawner);
    const auto started = running->task->start(
        spec, {.limit = kFirstLimit, .end_limit = kTermLimit, .asks_first = true},
        {.on_line = [this, running](std::string_view text) { return on_line(*running, text); },
         .on_late = [this, running] { return is_late(*running); },
         .on_trouble = [this, running](std::string_view why) { on_ending(*running, std::string(why)); },
         .on_end =
             [this, running](const auto& end) {
                 on_end(running, end);
             }});
    return started ? started : Error{"no process could be started: " + started.error().text()};
}

// On SIGTERM a child ends its command's whole tree; SIGKILL, for a child that does not end,
// would leave the tree behind.
bool ActionRunner::is_late(Running& running) {
    if (running.phase == Phase::telling) {
        running.phase = Phase::overdue;
        running.task->extend(kTermLimit);
        return false;
    }
    if (running.working() && Clock::now() < running.limit_at) {
        running.task->extend(std::chrono::ceil<Milliseconds>(running.limit_at - Clock::now()));
        return false;
    }
    on_ending(running, "not finished in time" + (running.stage.empty() ? "" : " (" + running.stage + ')'));
    return true;
}

bool ActionRunner::on_line(Running& running, std::string_view text) {
    ActionLine line;
    if (!decode(text, line))
        return false;
    if (const auto* stage = std::get_if<Stage>(&line)) {
        on_stage(running, *stage);
    } else if (const auto* output = std::get_if<Output>(&line)) {
        std::string& kept = running.incident.result.output;
        kept.append(output->text, 0, kOutputBytes - std::min(kOutputBytes, kept.size()));
    } else if (const auto* done = std::get_if<Done>(&line)) {
        if (running.working())
            finish(running, {done->ok, done->message, running.incident.result.output, done->unfinished});
        if (running.queues)
            release_notices(running);
    } else if (const auto* spooled = std::get_if<Spooled>(&line)) {
        if (!running.working() && !running.spooled)
            on_spooled(running, *spooled);
    } else if (const auto* broken = std::get_if<Broken>(&line)) {
        on_ending(running, "its process ended: " + broken->message);
        running.task->end();
    }
    return true;
}

void ActionRunner::on_stage(Running& running, const Stage& stage) {
    running.stage = stage.message;
    running.stops = running.stops || stage.message.starts_with(kStopOrdered);
    const Milliseconds limit = std::min(kMostLimit, Milliseconds(stage.limit_ms) + kFirstLimit);
    running.limit_at = Clock::now() + limit;
    running.task->extend(limit);
    log::debug(running.who, "{}: {}", to_string(running.incident.action), stage.message);
    if (const auto cat = deps_.find_cat(running.incident.request.cat_name))
        cat->on_action_phase(phase_of(stage.message));
}

void ActionRunner::on_ending(Running& running, const std::string& why) {
    if (running.working())
        finish(running, {false, why, {}, running.stops});
}

void ActionRunner::finish(Running& running, ActionResult result) {
    running.phase = Phase::telling;
    const std::string_view action = to_string(running.incident.action);
    if (result.ok)
        log::info(running.who, "{} done: {}", action, result.message);
    else
        log::error(running.who, "{} failed: {}", action, result.message);
    log_output(running.who, result.output);
    if (result.left_stopped)
        deps_.on_left_stopped();
    if (running.incident.action->restarts) {
        if (result.ok && !running.incident.request.cat.dry_run)
            rules_.note_restart(running.incident.request.program, running.starts + 1);
        deps_.on_restarted();
    }
    deps_.on_action_end();
    running.incident.result = std::move(result);
    // If the cat was changed meanwhile, this is its successor.
    if (const auto cat = deps_.find_cat(running.incident.request.cat_name))
        cat->on_action_ended(*running.incident.action, running.incident.result.ok,
                             running.incident.result.message);
}

void ActionRunner::on_spooled(Running& running, const Spooled& spooled) {
    if (spooled.ok)
        deps_.mailer.look();
    else
        record_lost_notice(deps_.mailer, running.incident, running.notices, spooled.message);
    running.spooled = ++running.notices >= running.incident.request.channels.size();
    if (running.spooled)
        release_notices(running);
}

// Has another child spool the notices that the action's child did not, then releases those that waited for
// them.
void ActionRunner::release_notices(Running& running) {
    if (!std::exchange(running.spooled, true)) {
        Incident rest = running.incident;
        auto& channels = rest.request.channels;
        channels.erase(channels.begin(), channels.begin() + static_cast<std::ptrdiff_t>(running.notices));
        deps_.notices.add(rest);
    }
    for (Incident& incident : running.notices_after)
        deps_.notices.add(incident);
    running.notices_after.clear();
}

void ActionRunner::on_end(std::list<Running>::iterator running, const std::optional<ChildEnd>& end) {
    on_ending(*running, end ? "its process ended: " + end->text() : "its process hangs in the kernel");
    release_notices(*running);
    running_.erase(running);
}

void ActionRunner::clean_up() {
    ChildSpec spec(children::kOldCommands);
    spec.main = [](pid_t) {
        return run_old_commands();
    };
    // On failure, the next start cleans up.
    const auto started = old_commands_.start(
        spec, {.limit = children::kOldCommands.limit}, {.on_end = [this](const auto&) {
            if (!old_commands_.failure().empty())
                log::warning("", "what earlier commands have left could not be removed: {}",
                             old_commands_.failure());
        }});
    if (!started)
        log::warning("", "what earlier commands have left could not be removed: {}", started.error().text());
}

std::set<std::string> ActionRunner::busy_programs() const {
    std::set<std::string> programs;
    for (const Running& running : running_)
        if (running.working())
            programs.insert(running.incident.request.program);
    return programs;
}

std::size_t ActionRunner::under_way() const {
    return static_cast<std::size_t>(std::count_if(running_.begin(), running_.end(),
                                                  [](const Running& running) { return running.working(); }));
}

bool ActionRunner::needs_link() const {
    return std::ranges::any_of(running_, [](const Running& running) {
        if (!running.working())
            return false;
        // An action that asks once does so before any stage of its own.
        const bool asks_now = running.stage.empty() || running.stage == kFirstStage;
        const ActionType::Asks asks = running.incident.action->asks;
        return asks == ActionType::Asks::always || (asks == ActionType::Asks::if_bound && asks_now);
    });
}

void ActionRunner::stop_now() {
    for (Running& running : running_) {
        if (running.working())
            log::error(running.who, "{} was not finished{}: healthcheckd stops{}",
                       to_string(running.incident.action),
                       running.stage.empty() ? "" : " (" + running.stage + ')',
                       running.stops ? "; its next start sees to it" : "");
        running.task->end();
    }
}

}  // namespace healthcheckd::master
