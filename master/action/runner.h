// Runs actions: one short-lived child for each, one at a time for each program; and announces them. Master.
//
// A firing is logged and dropped when another action of its program is under way, or when its evidence is
// about a process that the program no longer has: it is being handled, or no longer necessary. So is a
// restart when the last counted start was a restart by healthcheckd itself: it would cause itself for ever.
#pragma once

#include "common/wire/protocol_task.h"
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
        std::string run_id;                       // the id of this run, see Notice
        std::function<void()> on_left_stopped;    // a restart failed between stop and start
        std::function<bool()> programs_are_here;  // ProgramTable::is_here()
        // Returns whether an interrupted restart of the program is being finished.
        std::function<bool(const std::string&)> being_finished;
        std::function<void()> on_restarted;                      // a restart has changed supervisord's table
        std::function<void()> on_action_end;                     // of any action: busy_programs() has shrunk
        std::function<std::optional<uid_t>()> supervisor_owner;  // see Link
    };

    explicit ActionRunner(Dependencies needs);

    // Uses another configuration for actions that begin from now on.
    void use(std::shared_ptr<const Config> config) { deps_.config = std::move(config); }

    // Does what follows from `event` of `cat`: the action and the notice, or a log line why not.
    void on_event(const std::shared_ptr<Cat>& cat, Event event, const Report& report);

    // Returns sentences: what a firing of the cat would do now, and what prevents it.
    std::vector<std::string> plan(Cat& cat);

    // Removes cgroups of commands that killed actions of a previous run have left.
    void clean_up();

    // The programs that an action is working on.
    std::set<std::string> busy_programs() const;

    // The counter that action children share while they wait for a disk, see DiskWork; -1: none.
    int disk_places() const { return places_ ? places_.get() : -1; }

    // Starts no new action from now on. Actions under way may continue until stop_now().
    void stop() { stopping_ = true; }
    // Returns whether an action is under way that asks supervisord before or while it acts. For the end of the program's
    // log, which is what others ask for, nothing waits.
    bool needs_link() const;
    // The number of actions that have not reported their result.
    std::size_t under_way() const;
    // The number of children that have not ended, with or without a reported result.
    std::size_t children() const { return running_.size(); }
    // Ends every child; logs what was left undone.
    void stop_now();

private:
    // The phase of an action's child.
    enum class Phase : std::uint8_t {
        working,  // the action runs
        telling,  // it has reported the result; it may go on to spool notices and to sweep up
        overdue,  // as telling, and its deadline has passed once
    };
    struct Running {
        Incident incident;
        std::string who;
        Phase phase = Phase::working;
        TimePoint limit_at{};     // deadline of the present stage
        std::size_t notices = 0;  // number of channels whose notice has been spooled, or could not be
        bool spooled = false;     // all notices are
        bool queues = false;  // `notices` sends its notice, after those that wait there; its child does not
        std::string stage;
        bool stops = false;        // a restart that has reached the stop: the program may be left stopped
        std::uint64_t starts = 0;  // of the program, when the action began
        // Notices that came meanwhile and must not be sent before this one.
        std::vector<Incident> notices_after;
        std::unique_ptr<Task> task;

        bool working() const { return phase == Phase::working; }
    };
    // Timeout of a child until its first stage, and the maximum that it can set.
    static constexpr Milliseconds kFirstLimit{15'000};
    static constexpr Milliseconds kMostLimit{std::chrono::hours(366 * 24)};
    // Time that a child has to end its command's tree after SIGTERM.
    static constexpr Milliseconds kTermLimit{3'000};
    static constexpr std::size_t kOutputBytes = 4096;
    // Maximum number of concurrent actions that ask supervisord only for the end of a log: the link has room
    // for twice as many, and restarts have priority.
    static constexpr std::size_t kMostAsking = 256;

    // Logs that the action was not done, and announces it.
    void refuse(Cat& cat, Incident incident, std::string why);
    // Announces an incident that has no action child.
    void tell(Incident incident);
    // Returns what is working on the program: "restart of cat2"; "": nothing.
    std::string work_at(const std::string& program) const;
    Incident incident_of(Cat& cat, Event event, const Report& report);
    void start(const std::shared_ptr<Cat>& cat, Incident incident);
    // Starts its child. Fails when none can be started.
    Result<void> start_child(std::list<Running>::iterator running, const std::shared_ptr<Cat>& cat);
    // The action could not be started, because of `why`.
    void give_up(std::list<Running>::iterator running, std::string why);
    bool on_line(Running& running, std::string_view text);
    void on_stage(Running& running, const Stage& stage);
    // The deadline has passed. Returns whether to end the child.
    bool is_late(Running& running);
    // The child is being ended, because of `why`.
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
    std::chrono::nanoseconds last_id_{0};  // the time in the latest id
    bool stopping_ = false;
    Task old_commands_;
};

}  // namespace healthcheckd::master
