// One cat at run time: its worker, its counts, and the one place through which every verdict goes. Master.
#pragma once

#include "master/cat/pause_clock.h"
#include "master/cat/prober.h"
#include "master/cat/record.h"
#include "master/cat/subject.h"
#include "master/cat/threshold.h"
#include "master/cat/verdict_log.h"
#include "master/files/memory.h"
#include "master/notice/incident.h"
#include "master/supervisord/program_table.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::master {

// What is known of a cat's program when its tick comes.
struct ProgramView {
    const Program* program = nullptr;  // nullptr and no `unknown`: the cat needs no program of supervisord's
    std::string unknown = {};          // why nothing can be said about the program; empty: something can
    bool pending = false;              // supervisord has just been asked for the first time
    bool starting = false;             // supervisord calls the program STARTING
    std::optional<uid_t> user = {};    // of the program's process, for a cat that looks for it by name
    // Why the program's user is unknown, for a cat that finds its process by name. Empty: the user is known, or
    // supervisord does not have the program.
    std::string user_unknown = {};
};

class Cat : public std::enable_shared_from_this<Cat> {
public:
    using LastProbe = Record::LastProbe;
    using Counters = Record::Counters;

    // What all cats share.
    struct Context {
        Prober::Make make_prober;
        std::function<TimePoint()> now = Clock::now;
    };

    // `on_event` is called for each event but `none`, with the verdict that brought it about.
    using EventCallback = std::function<void(Cat&, Event, const Report&)>;

    // `on_first_failure` is called when a program of supervisord's begins to fail.
    Cat(const Context& context, Prober::Identity identity, EventCallback on_event,
        std::function<void()> on_first_failure);
    ~Cat();
    Cat(const Cat&) = delete;
    Cat& operator=(const Cat&) = delete;

    // Takes over what an earlier life of it had, before start(): all of it when its definition is the same,
    // else the pause, and that it failed.
    // `when`: of what it had, for the log: "before healthcheckd was started".
    void restore(const RememberedCat& cat, std::string_view when);
    RememberedCat remembered() const;
    const Record::Revision& revision() const { return record_.revision; }

    // Goes on as cat `index` of another configuration, in which its keys are the same.
    void adopt(std::shared_ptr<const Config> config, std::size_t index);

    // The birth of its worker.
    SpawnRequest start(TimePoint now);

    // The cat's tick: probes, unless the last probe still runs or the program is in its initial delay. When no
    // verdict has come for kSilence and longer than a period and a probe may take, the cat is unknown,
    // whatever the reason.
    static constexpr Milliseconds kSilence{10'000};
    void tick(TimePoint now, const ProgramView& view);

    // No probes until resume() or the end of `how_long`; without it, until resume().
    using Pause = PauseClock::Pause;
    void pause(TimePoint now, std::optional<Milliseconds> how_long);
    // Counts start afresh. False: it was not paused.
    bool resume();
    // Empty as well when its time is over and its next tick has not come yet.
    std::optional<Pause> paused() const;

    // Probes at once, whatever the schedule says, and tells `done` the verdict of this probe, or of the one
    // that is under way. While the cat is paused or in its initial delay the verdict is not counted.
    using CheckDone = std::function<void(const Report&)>;
    void check_now(TimePoint now, const ProgramView& view, CheckDone done);

    // healthcheckd is about to end: what a probe under way finds is not counted, as nothing would follow.
    void retire() { count_this_probe_ = false; }

    // An action of it that is under way.
    struct Activity {
        const ActionType* action = nullptr;
        std::chrono::system_clock::time_point since;
        std::string phase;  // what of it: supervisord's word for the program, or other words; may be empty
    };
    void on_action_begun(const ActionType& action);
    void on_action_phase(std::string phase);
    const std::optional<Activity>& activity() const { return activity_; }
    // People are told of its failure, and nothing else is done.
    void on_failure_told() { ++record_.counters.fired; }
    // An action of it has ended.
    void on_action_ended(const ActionType& action, bool ok, std::string message);

    // The program has a new process (also told once for the one that is there at the start), or lost the one
    // it had.
    void on_program_started(const Program& program);
    void on_program_ended();
    // The start time of the program's process has become known.
    void on_program_identified(const Program& program);

    const std::string& name() const { return identity_.name; }
    const std::string& program() const { return identity_.program; }
    const CatConfig& config() const { return identity_.cat(); }
    const Prober::Identity& identity() const { return identity_; }
    std::string who() const { return identity_.who(); }
    // Does its verdict depend on what supervisord says of the program?
    bool follows_supervisord() const;
    // Is a process that the program no longer has the wrong one to act upon?
    bool bound_to_process() const { return follows_supervisord() && !config().type->counts_restarts; }

    // "healthy", as to_string(threshold().state()), or "disabled".
    std::string_view state_text() const;
    const Threshold& threshold() const { return threshold_; }
    const Prober& worker() const { return *worker_; }
    const std::optional<LastProbe>& last_probe() const { return record_.last_probe(); }
    // The last five, the newest last.
    std::vector<SeenVerdict> last_verdicts() const { return record_.last_verdicts(); }
    // People were told, before this life of healthcheckd, that it failed: it is failed until it is well
    // again.
    void restore_failed(std::string_view when);
    const Counters& counters() const { return record_.counters; }
    // supervisord's word for the program at the last tick, "" when it was not known.
    const std::string& program_state() const { return program_state_; }
    // The user of the program's process when one was last seen, for a cat that looks for it by name.
    std::optional<uid_t> program_user() const { return program_user_; }
    const RememberedAction* last_action() const {
        return record_.actions().empty() ? nullptr : &record_.actions().back();
    }
    const History& history() const { return record_.history(); }

private:
    void probe(const ProgramView& view, bool counts);
    // One verdict, of a probe or about the lack of one: who asked for it is told, and it counts if it should.
    void take(const Report& report);
    // "PROGRAM TYPE": a failure of an earlier life holds only while this is the same.
    std::string about() const;
    void note(std::string text);
    void answer_waiting(const Report& report);
    void accept(const Report& report);
    // The same with what `count` makes of it.
    void accept(const Report& report, const std::function<Event(Threshold&)>& count);
    void watch_silence(TimePoint now);
    void on_report(const Report& report);
    // The same for one that says no more than is known.
    void weigh(const Report& report);
    void on_lost(bool probing, const std::string& why);
    // What was counted was about another process.
    void start_afresh(std::string_view why);

    Prober::Identity identity_;
    EventCallback on_event_;
    std::function<void()> on_first_failure_;
    std::function<TimePoint()> now_;
    Threshold threshold_;
    Subject subject_;
    PauseClock pause_;
    Record record_;
    VerdictLog verdict_log_;
    std::unique_ptr<Prober> worker_;
    TimePoint heard_{};  // when the last verdict came, or could first have been expected
    TimePoint ticked_{};
    bool starting_ = false;  // supervisord called its program STARTING when the probe under way was sent
    bool count_this_probe_ = true;  // the verdict of the probe under way
    std::string user_unknown_;      // see ProgramView; of the probe under way
    std::vector<CheckDone> waiting_;
    std::string program_state_;
    std::optional<uid_t> program_user_;
    std::optional<Activity> activity_;
};

}  // namespace healthcheckd::master
