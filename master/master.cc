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

constexpr Milliseconds kReconcile{30'000};      // finds added and renamed programs
constexpr Milliseconds kStoppedProgram{4'000};  // finds a program that somebody started again
constexpr Milliseconds kUnreachable{2'000};     // finds a supervisord that is back
constexpr Milliseconds kTransitionFirst{100};   // finds the next process of a program that ended
constexpr Milliseconds kTransitionMost{1'000};

}  // namespace

Master::Master(Loop& loop, Spawner& spawner, std::shared_ptr<const Config> config,
               std::function<int(const worker::WorkerStart&)> life)
    : loop_(loop), spawner_(spawner),
      config_(std::move(config)), workers_{loop, spawner, layers_, std::move(life)},
      table_(loop, !is_remote_url(config_->supervisord_url),
             {[this](const Program& program) { on_program_started(program); },
              [this](const Program& program) {
                  on_program_ended(program);
              }}),
      link_(loop, spawner, layers_, config_,
            {[this](const std::vector<ProgramLine>& lines) { on_table(lines); },
             [this](int code, const std::string& why) {
                 on_link_failure(code, why);
             }}),
      mails_(loop, spawner, config_),
      actions_({loop, spawner, [this](const std::string& name) { return table_.find(name); },
                [this] { return link_.open_peer(); }, mails_}),
      tick_timer_(loop, [this] { on_tick(); }), stop_timer_(loop, [this] { stop_step(); }) {
    for (std::size_t i = 0; i < config_->cats.size(); ++i) {
        const CatConfig& cat = config_->cats[i];
        cats_.push_back(std::make_shared<Cat>(
            workers_, WorkerProcess::Identity{config_, i, cat.name, canonical_program(cat.program)},
            [this](Cat& fired, Event event, const Report& report) {
                actions_.on_event(fired.shared_from_this(), event, report);
            }));
    }
}

void Master::start() {
    log::info("", "healthcheckd {} watches {} cats, supervisord at {}", HEALTHCHECKD_VERSION, cats_.size(),
              config_->supervisord_url);
    link_.start();
    const bool needs_table =
        std::any_of(cats_.begin(), cats_.end(), [](const auto& cat) { return cat->follows_supervisord(); });
    if (needs_table)
        link_.refresh_in(Milliseconds(0));
    const TimePoint now = Clock::now();
    for (std::size_t i = 0; i < cats_.size(); ++i) {
        cats_[i]->start(now);
        const CatConfig& cat = cats_[i]->config();
        schedule_.add(i, now + cat.initial_delay + phase_of(i, cat.period), cat.period);
    }
    if (const auto next = schedule_.next())
        tick_timer_.start_at(*next);
}

void Master::on_tick() {
    const TimePoint now = Clock::now();
    while (const auto id = schedule_.pop_due(now)) {
        Cat& cat = *cats_[*id];
        cat.tick(now, view_of(cat));
    }
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
    if (const Program* program = table_.find(cat.program()))
        return {.program = program};
    const std::vector<std::string> members = table_.members_named(cat.program());
    std::string why = fmt::format("supervisord has no program '{}'", cat.program());
    if (!members.empty())
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

Milliseconds Master::refresh_delay() {
    Milliseconds delay = kReconcile;
    bool transition = false;
    for (const auto& cat : cats_) {
        if (!cat->follows_supervisord())
            continue;
        const Program* program = table_.find(cat->program());
        if (program == nullptr || !program->runs())
            delay = std::min(delay, kStoppedProgram);
        else if (!table_.announces_end(program->name))
            delay = std::min(delay, std::max(cat->config().period, Milliseconds(1'000)));
        transition = transition || (program != nullptr && program->in_transition());
    }
    transition_delay_ =
        transition ? std::clamp(transition_delay_ * 2, kTransitionFirst, kTransitionMost) : Milliseconds(0);
    return transition ? transition_delay_ : delay;
}

void Master::on_program_started(const Program& program) {
    bool watched = false;
    for (const auto& cat : cats_)
        if (cat->program() == program.name) {
            cat->on_program_started(program);
            watched = true;
        }
    if (watched)
        log::info(program.name, "runs with pid {}", program.process.pid);
}

void Master::on_program_ended(const Program& program) {
    bool watched = false;
    for (const auto& cat : cats_)
        if (cat->program() == program.name) {
            cat->on_program_ended();
            watched = true;
        }
    if (!watched)
        return;
    log::info(program.name, "pid {} ended", program.last.pid);
    link_.refresh_in(kTransitionFirst);
}

StateView Master::view() const {
    return {config_->file, started_at_, reachable_, link_error_, mails_.waiting(), mails_.counters(), cats_};
}

void Master::dump_state() {
    for (const std::string& line : state_table(view()))
        log::info("state", "{}", line);
    write_state_json();
}

void Master::write_state_json() {
    if (dumping_) {
        dump_again_ = true;
        return;
    }
    dumping_ =
        write_state(spawner_, config_->state_dir, state_json(view()), [this](const std::string& failure) {
            dumping_ = false;
            if (failure.empty())
                log::info("state", "written to {}/state.json", config_->state_dir);
            else
                log::error("state", "not written: {}", failure);
            if (std::exchange(dump_again_, false))
                write_state_json();
        });
    if (!dumping_)
        log::error("state", "not written: no process could be started");
}

void Master::reopen_logs() {
    if (renewing_logs_)
        return;
    std::vector<LogFile> files;
    for (const auto& cat : cats_)
        if (cat->worker().control() >= 0)
            files.push_back({worker_log_path(*config_, cat->name()), cat->worker().control()});
    constexpr int kKeepOldFiles = -1;
    renewing_logs_ = renew_logs(spawner_, std::move(files), kKeepOldFiles, [this] {
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
    mails_.stop();
    mails_.log_undelivered();
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
    } else if (children_told_ && ((!dumping_ && actions_.children() == 0) || elapsed >= kChildrenLimit)) {
        on_stopped_();
        return;
    }
    stop_timer_.start(Milliseconds(20));
}

}  // namespace healthcheckd::master
