// One cat at run time: its worker, its counts, and the one function through which every verdict passes.
// Master.
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

// What is known of a cat's program at its tick.
struct ProgramView {
    const Program* program = nullptr;  // nullptr without `unknown`: the cat needs no program of supervisord
    std::string unknown = {};          // why nothing is known of the program; empty: something is
    bool pending = false;              // supervisord has been asked for the first time and has not answered
    bool starting = false;             // supervisord reports the state STARTING
    std::optional<uid_t> user = {};    // of the program's process, for a cat that finds it by name
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

    // `on_event` is called for each event except `none`, with the verdict that caused it.
    using EventCallback = std::function<void(Cat&, Event, const Report&)>;

    // `on_first_failure` is called when a cat of a program of supervisord begins to fail.
    Cat(const Context& context, Prober::Identity identity, EventCallback on_event,
        std::function<void()> on_first_failure);
    ~Cat();
    Cat(const Cat&) = delete;
    Cat& operator=(const Cat&) = delete;

    // Restores the state saved by a previous run; call before start(). If the cat's definition has
    // changed, restores only the pause and that it failed. `when` goes into the log line: "before
    // healthcheckd was started".
    void restore(const RememberedCat& cat, std::string_view when);
    RememberedCat remembered() const;
    // For a successor in this run, which reports the later starts of the program; nullopt: it begins anew.
    std::optional<std::uint64_t> starts_reported() const;
    const Record::Revision& revision() const { return record_.revision; }

    // Continues as cat `index` of another configuration that has the same keys for it.
    void adopt(std::shared_ptr<const Config> config, std::size_t index);

    // Returns the request that starts its worker.
    SpawnRequest start(TimePoint now);

    // Handles the cat's tick: probes, unless the previous probe is still running or the program is in its
    // initial delay. When there has been no verdict for kSilence and for longer than a period and a probe may
    // take, the cat becomes unknown, whatever the reason.
    static constexpr Milliseconds kSilence{10'000};
    void tick(TimePoint now, const ProgramView& view);

    // Until its first probe, which supervisord or the worker may not have been ready for: returns when to try it
    // beside the ticks, so that an hourly check does not begin an hour late. The waits double, from kFirstTry up to
    // the period. nullopt: at the next tick.
    static constexpr Milliseconds kFirstTry{500};
    std::optional<TimePoint> next_try(TimePoint now);
    // Probes if it can. If not, this is no verdict: how often it was tried says nothing.
    void try_first_probe(TimePoint now, const ProgramView& view);

    // Stops probing for `how_long`, or until resume().
    using Pause = PauseClock::Pause;
    void pause(TimePoint now, std::optional<Milliseconds> how_long);
    // Ends the pause and resets the counts. Returns false when the cat was not paused.
    bool resume();
    // Returns the pause; nullopt without one, and also when its time is over but the next tick has not come.
    std::optional<Pause> paused() const;

    // Probes at once, regardless of the schedule, and calls `done` with the verdict of this probe, or of the
    // probe already under way. While the cat is paused or in its initial delay, the verdict is not counted.
    using CheckDone = std::function<void(const Report&)>;
    void check_now(TimePoint now, const ProgramView& view, CheckDone done);

    // healthcheckd is about to end: the verdict of a probe under way is not counted, as no action could
    // follow.
    void retire() { count_this_probe_ = false; }

    // An action under way.
    struct Activity {
        const ActionType* action = nullptr;
        std::chrono::system_clock::time_point since;
        std::string phase;  // supervisord's state of the program, or other words; may be empty
    };
    void on_action_begun(const ActionType& action);
    void on_action_phase(std::string phase);
    const std::optional<Activity>& activity() const { return activity_; }
    // A failure is announced without any action.
    void on_failure_told() { ++record_.counters.fired; }
    // An action of the cat has ended.
    void on_action_ended(const ActionType& action, bool ok, std::string message);

    // The program has a new process (also called once for the process at the start), or lost its process.
    void on_program_started(const Program& program);
    void on_program_ended();
    // The start time of the program's process is now known.
    void on_program_identified(const Program& program);

    const std::string& name() const { return identity_.name; }
    const std::string& program() const { return identity_.program; }
    const CatConfig& config() const { return identity_.cat(); }
    const Prober::Identity& identity() const { return identity_; }
    std::string who() const { return identity_.who(); }
    // Returns whether the verdict depends on what supervisord says of the program.
    bool follows_supervisord() const;
    // Returns whether an action must not run if the program no longer has the process that was judged.
    bool bound_to_process() const { return follows_supervisord() && !config().type->counts_restarts; }

    // Returns "healthy" and so on, as to_string(threshold().state()), or "disabled".
    std::string_view state_text() const;
    const Threshold& threshold() const { return threshold_; }
    const Prober& worker() const { return *worker_; }
    const std::optional<LastProbe>& last_probe() const { return record_.last_probe(); }
    // The last five verdicts, the newest last.
    std::vector<SeenVerdict> last_verdicts() const { return record_.last_verdicts(); }
    // A previous run of healthcheckd announced that the cat failed: it is failed until it is healthy again.
    void restore_failed(std::string_view when);
    const Counters& counters() const { return record_.counters; }
    // supervisord's state of the program at the last tick; "" when unknown.
    const std::string& program_state() const { return program_state_; }
    // The user of the program's process when it was last seen, for a cat that finds the process by name.
    std::optional<uid_t> program_user() const { return program_user_; }
    const RememberedAction* last_action() const {
        return record_.actions().empty() ? nullptr : &record_.actions().back();
    }
    const History& history() const { return record_.history(); }

private:
    void probe(const ProgramView& view, bool counts);
    // Handles the verdict of a probe, or the lack of one: answers check_now() and counts the verdict if it
    // should.
    void take(const Report& report);
    // Returns "PROGRAM TYPE". A failure of a previous run is restored only if this is unchanged.
    std::string about() const;
    void note(std::string text);
    void answer_waiting(const Report& report);
    void accept(const Report& report);
    // As above, with `count` in place of the usual counting.
    void accept(const Report& report, const std::function<Event(Threshold&)>& count);
    void watch_silence(TimePoint now);
    void on_report(const Report& report);
    // The second step of on_report(), which has weakened a verdict that claims more than is known.
    void weigh(const Report& report);
    void on_lost(bool probing, const std::string& why);
    // The counts were about another process; resets them.
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
    TimePoint heard_{};  // when the last verdict came, or was first expected
    TimePoint ticked_{};
    bool starting_ = false;         // supervisord reported STARTING when the probe under way was sent
    bool count_this_probe_ = true;  // the verdict of the probe under way is to be counted
    bool recovered_ = false;        // this run has seen the end of a failure
    bool begun_ = false;            // the first probe that counts has been sent
    Milliseconds try_wait_ = kFirstTry;
    std::string user_unknown_;  // see ProgramView; for the probe under way
    std::vector<CheckDone> waiting_;
    std::string program_state_;
    std::optional<uid_t> program_user_;
    std::optional<Activity> activity_;
};

}  // namespace healthcheckd::master
