// The state and the process of each of supervisord's programs, updated by supervisord's answers and by
// pidfds. Master.
//
// While a program's pidfd is not readable, its process exists and supervisord need not be asked.
// When it becomes readable the program has ended: the owner is told at once and asks supervisord
// until the program runs again.
#pragma once

#include "common/system/unique_fd.h"
#include "common/wire/protocol_supervisord.h"
#include "master/process/loop.h"
#include "master/supervisord/parentage.h"
#include "master/supervisord/supervisor_table.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::master {

struct Program {
    std::string name;  // "group:name", or "name" when the group is named the same
    int state = kUnknownState;
    std::int64_t start = 0;  // by supervisord's clock, seconds; 0: never started
    int exit_status = 0;
    std::string spawn_error;
    ProcessId process;  // pid 0: not running
    ProcessId last;     // the latest process seen, ended or not
    // Why the process that supervisord reports cannot be examined, a sentence; mostly empty (`process` then
    // has no start time, or is none at all).
    std::string hidden;
    TimePoint started{};       // start of the present process
    TimePoint changed{};       // time of the last other change
    bool has_run = false;      // has been started before, as far as is known
    std::uint64_t starts = 0;  // number of processes seen after the first one

    bool runs() const { return process.running(); }
    // Returns "EXITED with status 3", "FATAL: Exited too quickly": supervisord's state and its explanation.
    std::string state_text() const;
    // Returns whether supervisord may start the program by itself, or has not finished stopping it.
    bool in_transition() const {
        return !runs() && (state == kStarting || state == kBackoff || state == kStopping ||
                           state == kExited || state == kRunning);
    }
};

class ProgramTable {
public:
    struct Callbacks {
        std::function<void(const Program&)> on_started;  // has a new process, also when first seen
        std::function<void(const Program&)> on_ended;    // its process has ended
        std::function<void(const Program&)> on_state;    // supervisord reports another state
        std::function<void()> on_supervisor_ended = {};  // the parent of the processes has ended
        // The start time of its present process is known now.
        std::function<void(const Program&)> on_identified = {};
        std::function<void()> on_updated = {};  // an answer of supervisord has been processed
    };
    // Parentage::look().
    using Identify = std::function<void(pid_t pid, Parentage::OnSeen done)>;

    // `local`: supervisord's pids are processes on this machine. Otherwise they are only
    // compared with each other.
    ProgramTable(Loop& loop, bool local, Identify identify, Callbacks callbacks)
        : loop_(loop), local_(local), identify_(std::move(identify)), callbacks_(std::move(callbacks)),
          look_limit_(loop, [this] { finish_look(); }) {}

    // Processes supervisord's answer to `list`. Programs that are missing in it are forgotten except for
    // their number of starts, so that a program removed and added again by `supervisorctl update` counts as
    // restarted. Answers are processed in order: at once when no process is new, else when the new ones have
    // been looked up. When too many answers wait, one is dropped: the next one supersedes it.
    void update(SupervisorTable table);

    // Returns the program of this full name, or nullptr.
    const Program* find(const std::string& name) const;
    // Returns the full names of the programs whose part after the colon is `bare`.
    std::vector<std::string> members_named(const std::string& bare) const;
    // Returns the full names of the members of `group`; "web" is the only member of a group of the same name.
    std::vector<std::string> members_of(const std::string& group) const;
    // Returns the present effective user of its process; nullopt when it has none, or it cannot be
    // determined.
    std::optional<uid_t> user_of(const std::string& name) const;
    // Returns whether the end of its process will be noticed at once, without asking supervisord.
    bool announces_end(const std::string& name) const;
    std::size_t size() const { return entries_.size(); }
    // Returns whether the latest lookup of a program's process found it on this machine.
    bool is_here() const { return here_; }

private:
    struct Entry {
        Program program;
        ProcessId absent;    // process of the last answer that was not found; supervisord's start time
        pid_t told_pid = 0;  // supervisord's latest, looked up or not: each counts as one start
        UniqueFd pidfd;
        std::unique_ptr<FdWatch> watch;
    };
    // The lookup of a process that is new to the table. The pidfd was opened first, so the result is about
    // the process that it holds.
    struct Look {
        UniqueFd pidfd;
        Result<SeenProcess> process = Error{"it takes long to look at it, as others hang", EAGAIN};
    };
    struct Answer {
        SupervisorTable table;
        double came_at = 0;  // seconds since boot
    };
    static constexpr std::size_t kMostWaiting = 16;
    // For all lookups of one answer: programs that hang must not delay the others.
    static constexpr Milliseconds kLookLimit{2'000};

    void look();
    void on_look();
    void finish_look();
    void take_in(const Answer& answer);
    // What `line` reports about its program's process beyond what is known.
    struct News {
        bool start = false;  // a start that was not known
        bool same = false;   // the pidfd is not readable: the same process, whatever its start time
        bool look = false;   // the process has to be looked up
    };
    static News news_of(const Entry& entry, const ProgramLine& line);
    void refresh(const Answer& answer, Entry& entry, const ProgramLine& line, bool first_seen);
    // Returns by how many seconds the start that `line` reports precedes the start of the process that was
    // seen.
    static double gap_of(const Answer& answer, const ProgramLine& line, const SeenProcess& seen);
    void find_clock_steps(const Answer& answer);
    bool is_clock_step(double gap, double slack) const;
    bool is_nowhere(Entry& entry, const ProgramLine& line) const;
    ProcessId strange(Entry& entry, const ProgramLine& line, const std::string& why, std::string& hidden);
    // Returns the process that `line` reports, if it is alive, with its pidfd in `entry`; else pid 0, and in
    // `hidden` why it could not be examined.
    ProcessId identified(const Answer& answer, Entry& entry, const ProgramLine& line, std::string& hidden);
    // Returns why it cannot be the process that `line` reports; "": it can.
    std::string stranger(const Answer& answer, const ProgramLine& line, const SeenProcess& seen) const;
    void watch_process(Entry& entry, UniqueFd pidfd);
    void on_pidfd(const std::string& name);
    void watch_supervisor(pid_t pid);

    Loop& loop_;
    bool local_;
    Identify identify_;
    Callbacks callbacks_;
    std::map<std::string, Entry> entries_;
    std::deque<Answer> waiting_;    // answers that have not been processed, the oldest first
    std::map<pid_t, Look> looks_;   // for the oldest of them
    std::size_t looking_ = 0;       // lookups in looks_ that are under way, and look() itself
    std::uint64_t look_count_ = 0;  // number of lookups for the processes of an answer
    Timer look_limit_;
    bool here_ = false;
    std::vector<double> clock_steps_;  // gaps that more than one program had
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::map<std::string, std::uint64_t> former_starts_;  // of programs that were removed
    // supervisord itself: the parent of the process that was started last. When supervisord is killed its
    // programs keep running, so their pidfds do not show it.
    pid_t supervisor_ = 0;
    UniqueFd supervisor_pidfd_;
    std::unique_ptr<FdWatch> supervisor_watch_;
};

}  // namespace healthcheckd::master
