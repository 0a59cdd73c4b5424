// The master: connects schedule, program table, cats and actions. Master.
//
// It never blocks. Everything that may block runs in a child: probes, supervisord, files, mail, commands.
#pragma once

#include "common/config/config.h"
#include "master/action/finisher.h"
#include "master/action/runner.h"
#include "master/cat/cats.h"
#include "master/mailer/mailer.h"
#include "master/mailer/notice_writer.h"
#include "master/process/task.h"
#include "master/shutdown.h"
#include "master/state.h"
#include "master/state_keeper.h"
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
    // `worker_main`: see Spawner::use_worker_main().
    Master(Loop& loop, Spawner& spawner, std::shared_ptr<const Config> config,
           std::function<int(const worker::WorkerStart&)> worker_main = worker::run_worker);

    // `memory`: saved by a previous run. `keep_as`: see StateKeeper::start().
    void start(Memory memory = {}, std::string keep_as = {});

    // Switches to another configuration: what it does not change continues as before, and a running action
    // ends as it began. `notes`: changes that take effect only at the next start.
    CatChanges reload(std::shared_ptr<const Config> config, std::vector<std::string>& notes);

    // What is known, for the control socket.
    const Cats& cats() const { return cats_; }
    StateView view() const;
    // See Cat::check_now() and ActionRunner::plan().
    void check_now(Cat& cat, Cat::CheckDone done);
    std::vector<std::string> plan(Cat& cat) { return actions_.plan(cat); }
    // Writes what the next start is to know, as soon as the disk allows.
    void write_memory() { state_.write_memory(); }

    // Logs the table of cats and writes state.json.
    void dump_state();

    // Opens the logs of all workers again, after somebody has moved the files.
    void reopen_logs();

    // Stops in less than 3 s; `on_stopped` is called, once, when nothing more can be waited for.
    void stop(std::function<void()> on_stopped);

private:
    void ask_for_table();
    void refresh_in(Milliseconds delay);
    void renew_link();
    void on_tick();
    void arm_tick();
    ProgramView view_of(const Cat& cat) const;
    void reopen_again();
    void on_table(const SupervisordView::Answers& before);
    void on_link_failure(const SupervisordView::Answers& before);
    void on_program_started(const Program& program);
    void on_program_ended(const Program& program);
    void on_program_state(const Program& program);

    Loop& loop_;
    Spawner& spawner_;
    std::shared_ptr<const Config> config_;
    std::chrono::system_clock::time_point started_at_ = std::chrono::system_clock::now();

    // The id of this run of healthcheckd, different for every run.
    const std::string run_id_ =
        std::to_string(::getpid()) + '-' + std::to_string(started_at_.time_since_epoch().count());

    LayerNotes layers_;
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

    StateKeeper state_;
    Timer tick_timer_;
    Task reopening_;             // the workers' logs
    bool reopen_again_ = false;  // requested while that could not begin
    Shutdown shutdown_;
};

}  // namespace healthcheckd::master
