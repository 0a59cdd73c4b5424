// The master at work: schedule, program table, cats, actions, wired together. Master.
//
// It never waits. Everything that may is a child's work: probes, supervisord, files, mail, commands.
#pragma once

#include "common/config/config.h"
#include "master/action/finisher.h"
#include "master/action/runner.h"
#include "master/cat/cats.h"
#include "master/files/state_files.h"
#include "master/mailer/mailer.h"
#include "master/mailer/notice_writer.h"
#include "master/process/spawner.h"
#include "master/state.h"
#include "master/supervisord/view.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::master {

class Master {
public:
    // `life`: see WorkerContext.
    Master(Loop& loop, Spawner& spawner, std::shared_ptr<const Config> config,
           std::function<int(const worker::WorkerStart&)> life = worker::run_worker);

    // `memory`: of an earlier life.
    void start(Memory memory = {});

    // Goes on with another configuration: what it does not change goes on as it is, a running action ends as
    // it began. `notes`: what of it takes effect at the next start only.
    CatChanges reload(std::shared_ptr<const Config> config, std::vector<std::string>& notes);

    // What is known, for those who ask.
    const Cats& cats() const { return cats_; }
    StateView view() const;
    // See Cat::check_now() and ActionRunner::plan().
    void check_now(Cat& cat, Cat::CheckDone done);
    std::vector<std::string> plan(Cat& cat) { return actions_.plan(cat); }
    // What the next life is to know, on disk as soon as may be.
    void write_memory();

    // A table into the log, and state.json.
    void dump_state();

    // New files for all workers' logs, after somebody moved the old ones.
    void reopen_logs();

    // Stops within the limits below; `on_stopped` is called when nothing more can be waited for.
    void stop(std::function<void()> on_stopped);

private:
    // What running actions get to finish, what their children get to end their commands, and what the mailer
    // gets, from the beginning, for what it is just sending. With the time to reap what is left this stays
    // below the 3 s that healthcheckd(8) promises.
    static constexpr Milliseconds kActionsLimit{1'500};
    static constexpr Milliseconds kChildrenLimit{800};
    static constexpr Milliseconds kMailerLimit = kActionsLimit + kChildrenLimit;

    void ask_for_table();
    void refresh_in(Milliseconds delay);
    void renew_link();
    void on_tick();
    void arm_tick();
    ProgramView view_of(const Cat& cat) const;
    void on_table(const SupervisordView::Answers& before);
    void on_link_failure(const SupervisordView::Answers& before);
    void on_program_started(const Program& program);
    void on_program_ended(const Program& program);
    void on_program_state(const Program& program);
    Milliseconds refresh_delay() const;
    void write_state_json();
    void remember_changes();
    void on_state_file(const std::string& name, const std::string& failure);
    void stop_step();
    // What running actions still do belongs to what is known, until the end.
    void write_last_words();

    Loop& loop_;
    Spawner& spawner_;
    std::shared_ptr<const Config> config_;
    std::chrono::system_clock::time_point started_at_ = std::chrono::system_clock::now();

    // Tells this life of the master from every other.
    const std::string life_ =
        std::to_string(::getpid()) + '-' + std::to_string(started_at_.time_since_epoch().count());

    LayerNotes layers_;
    FilterCache filters_;
    ProcessReader processes_;
    LogRecovery logs_;
    WorkerContext workers_;
    SupervisordView supervisord_;

    Mailer mailer_;
    NoticeWriter notices_;
    ActionRunner actions_;
    RestartFinisher finisher_;
    Cats cats_;
    Timer link_timer_;

    StateFiles state_files_;
    Cats::Revision saved_;  // what memory.json has
    TimePoint saved_at_{};
    Timer memory_timer_;
    Timer tick_timer_;
    bool renewing_logs_ = false;
    std::function<void()> on_stopped_;
    TimePoint stop_began_{};
    std::optional<TimePoint> children_told_at_;
    Timer stop_timer_;
};

}  // namespace healthcheckd::master
