// Firings carried out: one short-lived child for each, one at a time for each program, and people told.
// Master.
//
// A firing that comes while another action of its program is under way, or whose evidence is about a process
// that the program no longer has, is logged and dropped: it asks for what is being done or no longer needed.
// So is a restart for which the last restart counted is one that healthcheckd itself has just done: it would
// be its own reason for ever.
#pragma once

#include "master/action/rules.h"
#include "master/cat/cat.h"
#include "master/mailer/notice_writer.h"
#include "master/process/task.h"
#include "master/supervisord/link.h"
#include "master/supervisord/program_table.h"

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace healthcheckd::master {

class ActionRunner {
public:
    struct Dependencies {
        Loop& loop;
        Spawner& spawner;
        std::function<const Program*(const std::string&)> find_program;
        std::function<std::shared_ptr<Cat>(const std::string&)> find_cat;  // by name
        std::function<Result<UniqueFd>()> open_peer;                       // to the supervisord link
        NoticeWriter& notices;
        Mailer& mailer;
        std::shared_ptr<const Config> config;
        std::string life;                         // of this master, see Notice
        std::function<void()> on_left_stopped;    // a restart failed between stop and start
        std::function<bool()> programs_are_here;  // ProgramTable::is_here()
        // What a restart of the program has left is being dealt with.
        std::function<bool(const std::string&)> being_finished;
        std::function<void()> on_restarted;   // supervisord's table has changed by a restart
        std::function<void()> on_action_end;  // of any action: busy_programs() has one less
        std::function<std::optional<uid_t>()> supervisor_owner;  // see Link
    };

    explicit ActionRunner(Dependencies needs);

    // Actions that begin from now on work by another configuration.
    void use(std::shared_ptr<const Config> config) { deps_.config = std::move(config); }

    // What follows from `event` of `cat`: its action, its notice, or a log line why not.
    void on_event(const std::shared_ptr<Cat>& cat, Event event, const Report& report);

    // What a firing of the cat would do now, and what stands in its way, in sentences.
    std::vector<std::string> plan(Cat& cat);

    // Removes what killed actions of an earlier life have left of their commands' cgroups.
    void clean_up();

    // The programs that an action works at.
    std::set<std::string> busy_programs() const;

    // What the children of actions are counted by that wait for a disk, see DiskWork; -1: nobody counts.
    int disk_places() const { return places_ ? places_.get() : -1; }

    // No new action from now on. Actions under way get until stop_now().
    void stop() { stopping_ = true; }
    // Returns whether an action is under way that would fail without its connection to the link. Others go on
    // without: kill and exec ask once, at their begin, and any action for the end of the program's log.
    bool needs_link() const;
    // Actions that have not said how they ended.
    std::size_t under_way() const;
    // Children that have not ended, whether they have said how it went or not.
    std::size_t children() const { return running_.size(); }
    // Ends every child; what was left undone is logged.
    void stop_now();

private:
    // How far the child of an action is.
    enum class Phase : std::uint8_t {
        working,  // at the action
        telling,  // it has said how the action ended; it may go on to tell people and to sweep up
        overdue,  // the same, and its deadline has passed once
    };
    struct Running {
        Incident incident;
        std::string who;
        Phase phase = Phase::working;
        TimePoint limit_at{};     // when the present stage must be over
        std::size_t notices = 0;  // that have been spooled, or could not be
        bool spooled = false;     // all of them
        bool queues = false;      // `notices` sends its notice after what waits there; its child does not
        std::string stage;
        bool stops = false;  // a restart that has come as far as the stop: the program may be left stopped
        std::uint64_t starts = 0;             // of the program, when the action began
        std::vector<Incident> notices_after;  // what came meanwhile and must not be told before this one
        std::unique_ptr<Task> task;

        bool working() const { return phase == Phase::working; }
    };
    // What a child gets before it has said what it does, and how far it can extend that.
    static constexpr Milliseconds kFirstLimit{15'000};
    static constexpr Milliseconds kMostLimit{std::chrono::hours(366 * 24)};
    // What a child gets to end its command's tree when it is told to.
    static constexpr Milliseconds kTermLimit{3'000};
    static constexpr std::size_t kOutputBytes = 4096;
    // Actions at once that may ask supervisord for no more than the end of a log: the link has room for twice
    // as many, and restarts come first.
    static constexpr std::size_t kMostAsking = 256;

    // Logs it, and tells people that it was not done.
    void refuse(Cat& cat, Incident incident, std::string why);
    // What no action tells.
    void tell(Incident incident);
    // What works at the program already: "restart of cat2"; empty: nothing.
    std::string work_at(const std::string& program) const;
    Incident incident_of(Cat& cat, Event event, const Report& report);
    void start(const std::shared_ptr<Cat>& cat, Incident incident);
    // Starts its child. Fails when it cannot be had.
    Result<void> start_child(std::list<Running>::iterator running, const std::shared_ptr<Cat>& cat);
    // It could not be started, for `why`.
    void give_up(std::list<Running>::iterator running, std::string why);
    bool on_line(Running& running, std::string_view text);
    void on_stage(Running& running, const Stage& stage);
    // Its deadline is over: whether it is to be ended.
    bool is_late(Running& running);
    // It is being ended, for `why`.
    void on_ending(Running& running, const std::string& why);
    void finish(Running& running, ActionResult result);
    void on_spooled(Running& running, const Spooled& spooled);
    void release_notices(Running& running);
    void on_end(std::list<Running>::iterator running, const std::optional<ChildEnd>& end);

    Dependencies deps_;
    ActionRules rules_;
    UniqueFd places_;  // see DiskWork
    std::list<Running> running_;
    std::uint64_t incidents_ = 0;
    std::chrono::nanoseconds last_id_{0};  // the time in it
    bool stopping_ = false;
};

}  // namespace healthcheckd::master
