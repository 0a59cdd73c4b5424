#include "master/master.h"

#include "common/log.h"
#include "master/config_texts.h"
#include "master/log_files.h"

#include <algorithm>
#include <spdlog/fmt/ranges.h>

namespace healthcheckd::master {

namespace {

// supervisord names a program whose group has the same name by that name alone.
std::string canonical_program(const std::string& name) {
    const auto colon = name.find(':');
    if (colon != std::string::npos && name.substr(0, colon) == name.substr(colon + 1))
        return name.substr(0, colon);
    return name;
}

// "web" for "web:*", every member of a group.
std::optional<std::string> group_of(const std::string& program) {
    if (!program.ends_with(":*"))
        return std::nullopt;
    return program.substr(0, program.size() - 2);
}

constexpr Milliseconds kReconcile{30'000};       // finds added and renamed programs
constexpr Milliseconds kStoppedProgram{4'000};   // finds a program that somebody started again
constexpr Milliseconds kMostReconcile{120'000};  // when supervisord takes long to answer
constexpr int kRestInTransition = 3;             // ...while a program is starting or has ended
constexpr int kRestForWork = 1'500;              // of supervisord, from one reconciliation to the next
constexpr int kMany = 8;                         // probes at once, whose answers are then taken together
constexpr Milliseconds kGather{5};               // after they went out
constexpr Milliseconds kUnreachable{2'000};      // finds a supervisord that is back
constexpr Milliseconds kTransitionFirst{100};    // finds the next process of a program that ended
constexpr Milliseconds kTransitionMost{1'000};

}  // namespace

Master::Master(Loop& loop, Spawner& spawner, std::shared_ptr<const Config> config,
               std::function<int(const worker::WorkerStart&)> life)
    : loop_(loop), spawner_(spawner),
      config_(std::move(config)), workers_{loop, spawner, layers_, filters_, std::move(life)},
      table_(loop, !is_remote_url(config_->supervisord_url),
             {[this](const Program& program) { on_program_started(program); },
              [this](const Program& program) { on_program_ended(program); },
              [this](const Program& program) { on_program_state(program); },
              [this] {
                  link_.refresh_in(kTransitionFirst);
              }}),
      link_(loop, spawner, layers_, config_,
            {[this](const std::vector<ProgramLine>& lines) { on_table(lines); },
             [this](int code, const std::string& why) {
                 on_link_failure(code, why);
             }}),
      mailer_(loop, spawner, layers_, config_, life_,
              [this](const std::string& cat) { on_still_failed(cat); }),
      notices_(loop, spawner, mailer_, [this] { return link_.open_peer(); }),
      actions_({loop, spawner, [this](const std::string& name) { return table_.find(name); },
                [this] { return link_.open_peer(); }, notices_, mailer_, config_, life_,
                [this] { finisher_.look(Milliseconds(1'000)); },
                [this] {
                    link_.refresh_in(Milliseconds(0));
                }}),
      finisher_(loop, spawner, config_->state_dir, [this] { return link_.open_peer(); }),
      tick_timer_(loop, [this] { on_tick(); }), stop_timer_(loop, [this] { stop_step(); }) {}

void Master::start() {
    log::info("", "healthcheckd {} watches {} cats, supervisord at {}", HEALTHCHECKD_VERSION,
              config_->cats.size(), config_->supervisord_url);
    for (const CatConfig& cat : config_->cats)
        filters_.filter_of(worker::worker_type(cat.type).profile(cat));
    link_.start();
    mailer_.start();
    for (std::size_t i = 0; i < config_->cats.size(); ++i) {
        const CatConfig& cat = config_->cats[i];
        if (!cat.enabled)
            log::info(cat.name + ' ' + cat.program, "is not enabled: it is not probed");
        else if (cat.dry_run)
            log::info(cat.name + ' ' + cat.program, "dry run: what it would do is told, and not done");
        if (const auto group = group_of(cat.program); group && cat.enabled)
            groups_[i].name = *group;
        else
            add_cat({config_, i, cat.name, canonical_program(cat.program)});
    }
    std::vector<Cat*> all;
    for (const auto& [id, cat] : cats_)
        if (cat->config().enabled)
            all.push_back(cat.get());
    start_cats(all);
    const bool needs_table =
        !groups_.empty() || std::any_of(cats_.begin(), cats_.end(), [](const auto& entry) {
            return entry.second->follows_supervisord();
        });
    if (needs_table)
        link_.refresh_in(Milliseconds(0));
    finisher_.look(Milliseconds(500));
}

Cat& Master::add_cat(WorkerProcess::Identity identity) {
    const Schedule::Id id = next_id_++;
    const auto on_event = [this](Cat& fired, Event event, const Report& report) {
        actions_.on_event(fired.shared_from_this(), event, report);
    };
    // Somebody may just be stopping the program: supervisord is asked before a failure has consequences.
    const auto on_first_failure = [this] {
        link_.refresh_in(Milliseconds(0));
    };
    const auto cat = std::make_shared<Cat>(workers_, std::move(identity), on_event, on_first_failure);
    cats_[id] = cat;
    const CatConfig& config = cat->config();
    if (!config.enabled)
        return *cat;
    schedule_.add(id, first_tick(origin_, Clock::now() + config.initial_delay, config.period, id),
                  config.period);
    tick_timer_.start_at(*schedule_.next());
    if (failed_before_.erase(cat->name()) > 0)
        cat->restore_failed();
    return *cat;
}

// Members of groups are met later than the mailer speaks.
void Master::on_still_failed(const std::string& name) {
    const auto found =
        std::ranges::find_if(cats_, [&](const auto& entry) { return entry.second->name() == name; });
    if (found != cats_.end())
        found->second->restore_failed();
    else
        failed_before_.insert(name);
}

void Master::start_cats(const std::vector<Cat*>& cats) {
    std::vector<Birth> births;
    births.reserve(cats.size());
    for (Cat* cat : cats) {
        births.push_back(cat->start(Clock::now()));
        if (const Program* program = table_.find(cat->program()); program != nullptr && program->runs())
            cat->on_program_started(*program);
    }
    heap_plug_.fill();
    spawner_.spawn_all(std::move(births));
}

void Master::follow_groups() {
    std::vector<Cat*> fresh;
    for (auto& [index, group] : groups_) {
        const std::vector<std::string> present = table_.members_of(group.name);
        for (auto member = group.members.begin(); member != group.members.end();) {
            if (std::find(present.begin(), present.end(), member->first) != present.end()) {
                ++member;
                continue;
            }
            log::info(cats_[member->second]->who(), "is no member of {} any more: its check ends",
                      group.name);
            schedule_.remove(member->second);
            cats_.erase(member->second);
            member = group.members.erase(member);
        }
        const CatConfig& cat = config_->cats[index];
        for (const std::string& program : present) {
            if (group.members.contains(program))
                continue;
            group.members[program] = next_id_;
            fresh.push_back(
                &add_cat({config_, index, cat.name + '/' + program.substr(program.find(':') + 1), program}));
        }
        if (present.empty() && !std::exchange(group.empty_said, true))
            log::error(cat.name + ' ' + cat.program, "supervisord has no group '{}'", group.name);
        group.empty_said = present.empty();
    }
    start_cats(fresh);
}

void Master::on_tick() {
    const TimePoint now = Clock::now();
    int due = 0;
    for (; const auto id = schedule_.pop_due(now); ++due) {
        Cat& cat = *cats_.at(*id);
        cat.tick(now, view_of(cat));
    }
    if (due >= kMany)
        loop_.reports().hold(kGather);
    if (const auto next = schedule_.next())
        tick_timer_.start_at(*next);
}

ProgramView Master::view_of(const Cat& cat) const {
    if (!cat.follows_supervisord())
        return {};
    if (!asked_)
        return {.pending = true};
    if (!reached_)
        return {.unknown = "supervisord was never reached: " + link_error_};
    if (const Program* program = table_.find(cat.program())) {
        if (!program->hidden.empty() && !program->runs())
            return {.unknown = "its process could not be looked at: " + program->hidden};
        return {.program = program};
    }
    const std::vector<std::string> members = table_.members_named(cat.program());
    std::string why = fmt::format("supervisord has no program '{}'", cat.program());
    if (!table_.members_of(cat.program()).empty())
        why += fmt::format("; it is a group: {}:* means each of its members", cat.program());
    else if (!members.empty())
        why += fmt::format("; it has {}: use the full name", fmt::join(members, ", "));
    return {.unknown = why};
}

void Master::on_table(const std::vector<ProgramLine>& lines) {
    asked_ = true;
    if (!reachable_)
        log::info("supervisord", "{}: {} programs", reached_ ? "is back" : "is reached", lines.size());
    reached_ = reachable_ = true;
    link_error_.clear();
    table_.update(lines);
    follow_groups();
    link_.refresh_in(refresh_delay());
}

void Master::on_link_failure(int code, const std::string& why) {
    asked_ = true;
    if (reachable_ || why != link_error_)
        log::error("supervisord", "{}; {}", why,
                   reached_ ? "programs that were known go on being probed, actions that need it will fail"
                            : "nothing can be said about its programs until it answers");
    reachable_ = false;
    link_error_ = why;
    (void)code;
    link_.refresh_in(kUnreachable);
}

Milliseconds Master::refresh_delay() const {
    const TimePoint now = Clock::now();
    // A table of hundreds of programs takes supervisord a tenth of a second in which it does nothing else.
    Milliseconds delay = std::clamp(link_.usual_answer_time() * kRestForWork, kReconcile, kMostReconcile);
    for (const auto& [index, group] : groups_)
        if (group.members.empty())
            delay = kStoppedProgram;
    for (const auto& [id, cat] : cats_) {
        if (!cat->follows_supervisord() || !cat->config().enabled)
            continue;
        const Program* program = table_.find(cat->program());
        if (program == nullptr || !program->runs())
            delay = std::min(delay, kStoppedProgram);
        else if (!table_.announces_end(program->name))
            delay = std::min(delay, std::max(cat->config().period, Milliseconds(1'000)));
        if (program == nullptr || !program->in_transition())
            continue;
        // Each program by its own age: one that stays down must not slow down the look at a crash loop.
        const auto age = std::chrono::duration_cast<Milliseconds>(now - program->changed);
        const Milliseconds longest =  // one that EXITED may stay so for good
            program->state == kExited ? kStoppedProgram : kTransitionMost;
        delay = std::min(delay, std::clamp(age, kTransitionFirst, longest));
    }
    return std::max(delay, link_.usual_answer_time() * kRestInTransition);
}

bool Master::is_watched(const Program& program) const {
    return std::any_of(cats_.begin(), cats_.end(), [&](const auto& entry) {
        return entry.second->config().enabled && entry.second->program() == program.name;
    });
}

void Master::on_program_started(const Program& program) {
    if (is_watched(program))
        log::info(program.name, "runs with pid {}", program.process.pid);
    for (const auto& [id, cat] : cats_)
        if (cat->program() == program.name)
            cat->on_program_started(program);
}

void Master::on_program_ended(const Program& program) {
    if (!is_watched(program))
        return;
    log::info(program.name, "pid {} ended", program.last.pid);
    for (const auto& [id, cat] : cats_)
        if (cat->program() == program.name)
            cat->on_program_ended();
    link_.refresh_in(kTransitionFirst);
}

// Who does not run, and why: an operator's stop, an end of its own, or a start that supervisord gave up, are
// told apart.
void Master::on_program_state(const Program& program) {
    const bool down = program.state == kStopped || program.state == kExited || program.state == kFatal ||
                      program.state == kBackoff;
    if (down && is_watched(program))
        log::info(program.name, "is {}", program.state_text());
}

StateView Master::view() const {
    StateView view{config_->file, started_at_, reachable_, link_error_, mailer_.counters(), {}};
    for (const auto& [id, cat] : cats_)
        view.cats.push_back(cat);
    return view;
}

void Master::dump_state() {
    for (const std::string& line : state_table(view()))
        log::info("state", "{}", line);
    write_state_json();
}

// One child at a time; what was asked for meanwhile is written after it, as it was when it was asked for.
void Master::write_state_json() {
    next_dump_ = state_json(view());
    begin_dump();
}

void Master::begin_dump() {
    if (dumping_ || next_dump_.empty())
        return;
    dumping_ = write_state(spawner_, config_->state_dir, std::exchange(next_dump_, {}),
                           [this](const std::string& failure) {
                               dumping_ = false;
                               if (failure.empty())
                                   log::info("state", "written to {}/state.json", config_->state_dir);
                               else
                                   log::error("state", "not written: {}", failure);
                               begin_dump();
                           });
    if (!dumping_)
        log::error("state", "not written: no process could be started");
}

void Master::reopen_logs() {
    if (renewing_logs_)
        return;
    std::vector<LogFile> files;
    for (const auto& [id, cat] : cats_)
        if (cat->worker().control() >= 0)
            files.push_back({worker_log_path(*config_, cat->name()), cat->worker().control()});
    renewing_logs_ = renew_logs(spawner_, std::move(files), std::nullopt, [this] {
        renewing_logs_ = false;
        log::info("", "log files reopened");
    });
}

void Master::stop(std::function<void()> on_stopped) {
    if (on_stopped_)
        return;
    on_stopped_ = std::move(on_stopped);
    stop_began_ = Clock::now();
    actions_.stop();
    mailer_.stop();
    if (const auto waiting = mailer_.counters().queued; waiting > 0)
        log::info("mailer", "{} notices and messages stay in the spool until the next start", waiting);
    finisher_.stop();
    tick_timer_.stop();
    schedule_ = {};
    write_state_json();
    cats_.clear();  // ends the workers
    stop_step();
}

void Master::stop_step() {
    const auto elapsed = Clock::now() - stop_began_;
    const bool busy = actions_.under_way() > 0;
    if (!children_told_ && (!busy || elapsed >= kActionsLimit)) {
        children_told_ = true;
        stop_began_ = Clock::now();
        actions_.stop_now();
    } else if (children_told_ &&
               ((!dumping_ && actions_.children() == 0 && notices_.idle() && mailer_.ended()) ||
                elapsed >= kChildrenLimit)) {
        notices_.log_unwritten();
        on_stopped_();
        return;
    }
    stop_timer_.start(Milliseconds(20));
}

}  // namespace healthcheckd::master
