#include "master/master.h"

#include "common/config/log_path.h"
#include "common/config/texts.h"
#include "common/log/log.h"
#include "common/sandbox/powers.h"
#include "master/cat/program_view.h"
#include "master/config/compare.h"
#include "master/files/log_files.h"
#include "master/process/powers_note.h"
#include "master/refresh.h"
#include "master/supervisord/transport.h"

#include <algorithm>
#include <iterator>
#include <spdlog/fmt/ranges.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

constexpr int kMany = 8;                     // probes at once, whose answers are then handled together
constexpr Milliseconds kGather{5};           // delay after the probes were sent
constexpr Milliseconds kUnreachable{2'000};  // interval in which a supervisord that is back is found
constexpr Milliseconds kLinkPause{500};      // interval of checking for actions that use the link
constexpr Milliseconds kNextProcess{100};  // delay in which the next process of a program that ended is found

}  // namespace

Master::Master(Loop& loop, Spawner& spawner, std::shared_ptr<const Config> config,
               std::function<int(const worker::WorkerStart&)> worker_main)
    : loop_(loop), spawner_(spawner), config_(std::move(config)),
      processes_(loop, spawner, layers_, config_->sandbox),
      logs_(loop, spawner), workers_{loop, spawner, layers_, processes_, logs_},
      supervisord_(
          loop, spawner, layers_, processes_, config_,
          {.programs = {.on_started = [this](const Program& program) { on_program_started(program); },
                        .on_ended = [this](const Program& program) { on_program_ended(program); },
                        .on_state = [this](const Program& program) { on_program_state(program); },
                        .on_supervisor_ended = [this] { refresh_in(kNextProcess); },
                        .on_identified =
                            [this](const Program& program) {
                                for (const auto& cat : cats_.all())
                                    if (cat->program() == program.name)
                                        cat->on_program_identified(program);
                            }},
           .on_table = [this](const auto& before) { on_table(before); },
           .on_failure =
               [this](const auto& before) {
                   on_link_failure(before);
               }}),
      mailer_(loop, spawner, layers_, config_, run_id_,
              [this](const std::string& cat) { cats_.restore_failed(cat); }),
      notices_(loop, spawner, mailer_, [this] { return supervisord_.link().open_peer(); }),
      actions_({loop, spawner, [this](const std::string& name) { return supervisord_.table().find(name); },
                [this](const std::string& name) { return cats_.find(name); },
                [this] { return supervisord_.link().open_peer(); }, notices_, mailer_, config_, run_id_,
                [this] { finisher_.look(Milliseconds(1'000)); },
                [this] { return supervisord_.table().is_here(); },
                [this](const std::string& program) { return finisher_.works_at(program); },
                [this] { refresh_in(Milliseconds(0)); }, [this] { finisher_.on_action_end(); },
                [this] {
                    return supervisord_.link().supervisor_owner();
                }}),
      finisher_({loop, spawner, config_->state_dir, [this] { return supervisord_.link().open_peer(); },
                 [this] { return actions_.busy_programs(); },
                 [this] {
                     return actions_.disk_places();
                 }}),
      cats_({workers_, supervisord_.table(),
             [this](Cat& cat, Event event, const Report& report) {
                 actions_.on_event(cat.shared_from_this(), event, report);
             },
             // Somebody may just be stopping the program: supervisord is asked before a failure has
             // consequences.
             [this] { refresh_in(Milliseconds(0)); },
             [this] {
                 arm_tick();
             }}),
      link_timer_(loop, [this] { renew_link(); }),
      state_(loop, spawner, config_->state_dir, cats_, [this] { return view(); }),
      tick_timer_(loop, [this] { on_tick(); }), reopening_(loop, spawner, [this] { reopen_again(); }),
      shutdown_(loop, {.actions = actions_, .mailer = mailer_, .notices = notices_, .state = state_}) {
    spawner_.uids().use(*config_);
    spawner_.use_worker_main(std::move(worker_main));
}

void Master::start(Memory memory, std::string keep_as) {
    log::info("", "healthcheckd {} watches {} cats, supervisord at {}", HEALTHCHECKD_VERSION,
              config_->cats.size(), config_->supervisord_url);
    if (const PowersNote note =
            powers_note(permitted_capabilities(), ::geteuid() == 0, spawner_.uids().others());
        !note.text.empty()) {
        log::warning("", "{}", note.text);
        layers_.leave_out(note.layers);
    }
    supervisord_.link().start();
    mailer_.start();
    cats_.start(config_, std::move(memory));
    ask_for_table();
    state_.start(std::move(keep_as));
    finisher_.look(Milliseconds(500));
    actions_.clean_up();
}

void Master::ask_for_table() {
    const auto cats = cats_.all();
    // A search by name needs the program's user, and every cat needs to know whether the program is STARTING.
    if (cats_.has_groups() ||
        std::ranges::any_of(cats, [](const auto& cat) { return !cat->config().whole_machine(); }))
        refresh_in(Milliseconds(0));
}

CatChanges Master::reload(std::shared_ptr<const Config> fresh, std::vector<std::string>& notes) {
    // Keys that only the next start can change keep their values.
    Config config = *fresh;
    if (config.supervisord_url != config_->supervisord_url) {
        // A login is valid only for the supervisord that it was configured for.
        const auto old = [&](const Secret& secret) {
            return config.secrets->put(SecretStore::kLink, secret.view());
        };
        config.supervisord_user = old(config_->supervisord_user);
        config.supervisord_pass = old(config_->supervisord_pass);
    }
    std::ranges::move(keep_until_next_start(*config_, config), std::back_inserter(notes));

    const std::shared_ptr<const Config> before =
        std::exchange(config_, std::make_shared<const Config>(std::move(config)));
    spawner_.uids().use(*config_);
    actions_.use(config_);
    mailer_.use(config_, !same_mailer(*before, *config_));
    supervisord_.link().use(config_);
    if (!same_process_reader(*before, *config_))
        processes_.use(config_->sandbox);
    if (!same_link(*before, *config_)) {
        if (actions_.needs_link())
            notes.emplace_back(
                "supervisord is asked by the new values when the actions that ask it now have ended");
        renew_link();
    }
    const CatChanges changes = cats_.reload(config_);
    if (supervisord_.answers().reached)
        cats_.follow_groups();
    ask_for_table();
    return changes;
}

// A restart uses the link from its first to its last step.
void Master::renew_link() {
    if (shutdown_.begun())
        return;
    if (!actions_.needs_link())
        supervisord_.link().renew();
    else
        link_timer_.start(kLinkPause);
}

void Master::on_tick() {
    if (shutdown_.begun())
        return;
    if (cats_.tick(Clock::now(), [this](const Cat& cat) { return view_of(cat); }) >= kMany)
        spawner_.reports().hold(kGather);
    arm_tick();
}

void Master::check_now(Cat& cat, Cat::CheckDone done) {
    if (shutdown_.begun()) {
        Report nothing;
        nothing.message = "healthcheckd stops";
        return done(nothing);
    }
    cat.check_now(Clock::now(), view_of(cat), std::move(done));
}

void Master::arm_tick() {
    if (const auto next = cats_.next_tick())
        tick_timer_.start_at(*next);
}

ProgramView Master::view_of(const Cat& cat) const {
    return program_view(cat, supervisord_);
}

void Master::refresh_in(Milliseconds delay) {
    supervisord_.link().refresh_in(delay);
}

void Master::on_table(const SupervisordView::Answers& before) {
    if (!before.reachable)
        log::info("supervisord", "{}: {} programs", before.reached ? "is back" : "is reached",
                  supervisord_.table().size());
    cats_.follow_groups();
    refresh_in(
        refresh_delay(cats_, supervisord_.table(), supervisord_.link().usual_answer_time(), Clock::now()));
}

void Master::on_link_failure(const SupervisordView::Answers& before) {
    const SupervisordView::Answers& now = supervisord_.answers();
    if (before.reachable || now.error != before.error)
        log::error("supervisord", "{}; {}", now.error,
                   now.reached ? "programs that were known go on being probed, actions that need it will fail"
                               : "nothing can be said about its programs until it answers");
    refresh_in(kUnreachable);
}

void Master::on_program_started(const Program& program) {
    if (cats_.any_of_program(program.name))
        log::info(program.name, "runs with pid {}", program.process.pid);
    for (const auto& cat : cats_.all())
        if (cat->program() == program.name)
            cat->on_program_started(program);
}

void Master::on_program_ended(const Program& program) {
    if (!cats_.any_of_program(program.name))
        return;
    log::info(program.name, "pid {} ended", program.last.pid);
    for (const auto& cat : cats_.all())
        if (cat->program() == program.name)
            cat->on_program_ended();
    refresh_in(kNextProcess);
}

// Logs why a program is not running: stopped by an operator, ended by itself, or given up by supervisord.
void Master::on_program_state(const Program& program) {
    const bool down = program.state == kStopped || program.state == kExited || program.state == kFatal ||
                      program.state == kBackoff;
    if (down && cats_.any_of_program(program.name))
        log::info(program.name, "is {}", program.state_text());
}

StateView Master::view() const {
    return {config_->file,
            started_at_,
            supervisord_.answers().reachable,
            supervisord_.answers().error,
            mailer_.counters(),
            cats_.all(),
            cats_.absent()};
}

void Master::dump_state() {
    for (const std::string& line : state_table(view()))
        log::info("state", "{}", line);
    state_.write_state();
}

void Master::reopen_logs() {
    // A log may have been moved after the child opened it.
    if (reopening_.running() || reopening_.left_behind() > 0) {
        if (!std::exchange(reopen_again_, true) && reopening_.left_behind() > 0)
            log::warning("",
                         "log files are reopened later: the process that tried it last hangs in the kernel");
        return;
    }
    std::vector<LogFile> files;
    for (const auto& cat : cats_.all())
        if (cat->worker().control() >= 0)
            files.push_back({worker_log_path(*config_, cat->name()), cat->worker().control()});
    renew_logs(reopening_, std::move(files), std::nullopt, [this](const std::string& failure) {
        if (failure.empty())
            log::info("", "log files reopened");
        else
            log::warning("", "a log file could not be renewed: {}", failure);
        reopen_again();
    });
}

void Master::reopen_again() {
    if (std::exchange(reopen_again_, false) && !shutdown_.begun())
        reopen_logs();
}

void Master::stop(std::function<void()> on_stopped) {
    if (shutdown_.begun())
        return;
    finisher_.stop();
    tick_timer_.stop();
    cats_.retire();
    shutdown_.begin([this, on_stopped = std::move(on_stopped)] {
        cats_.clear();
        on_stopped();
    });
}

}  // namespace healthcheckd::master
