// What supervisord's programs are doing, and which process each has: a table kept by supervisord's answers
// and by pidfds. Master.
//
// As long as a program's pidfd is silent its process is there, and nobody needs to be asked. When it fires
// the program has ended: its owner hears of it at once and asks supervisord until it runs again.
#pragma once

#include "common/system/unique_fd.h"
#include "common/wire/protocol.h"
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
    ProcessId process;     // pid 0: does not run
    ProcessId last;        // the latest process that was seen, ended or not
    std::string hidden;    // why nobody can look at the process that supervisord tells of, a sentence; mostly
                           // empty (`process` then has no start time, or is none at all)
    TimePoint started{};   // when the present process began
    TimePoint changed{};   // when something else was last seen of it
    bool has_run = false;  // has been started before, as far as is known
    std::uint64_t starts = 0;  // processes seen after the first one

    bool runs() const { return process.running(); }
    // "EXITED with status 3", "FATAL: Exited too quickly": supervisord's word, and what explains it.
    std::string state_text() const;
    // supervisord tries by itself to have it run, or has not finished ending it.
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
        std::function<void(const Program&)> on_state;    // supervisord shows another state for it
        std::function<void()> on_supervisor_ended = {};  // the parent of these processes is gone
        // The start time of the process that it has is known now.
        std::function<void(const Program&)> on_identified = {};
        std::function<void()> on_updated = {};  // an answer of supervisord's has been taken in
    };
    // Parentage::look().
    using Identify = std::function<void(pid_t pid, Parentage::OnSeen done)>;

    // `local`: supervisord's pids are processes of this machine. Without it they are only told apart.
    ProgramTable(Loop& loop, bool local, Identify identify, Callbacks callbacks)
        : loop_(loop), local_(local), identify_(std::move(identify)), callbacks_(std::move(callbacks)),
          look_limit_(loop, [this] { finish_look(); }) {}

    // supervisord's answer to `list`: programs that are not in it are forgotten, but for their starts, so
    // that one which is removed and added again by `supervisorctl update` has been restarted. Taken in at
    // once when no process is new, else as soon as the new ones have been looked at, in the order of the
    // answers. One answer too many is left out: the next one says as much.
    void update(SupervisorTable table);

    // By full name. nullptr: none.
    const Program* find(const std::string& name) const;
    // The full names of the programs whose part after the colon is `bare`.
    std::vector<std::string> members_named(const std::string& bare) const;
    // The full names of the members of `group`; "web" alone is the only member of a group of that name.
    std::vector<std::string> members_of(const std::string& group) const;
    // Whose its process is now, by the effective user; nullopt when it has none, or this cannot be told.
    std::optional<uid_t> user_of(const std::string& name) const;
    // Will the end of its process be noticed at once, without asking supervisord?
    bool announces_end(const std::string& name) const;
    std::size_t size() const { return entries_.size(); }
    // Was the process of a program found here, the last time that one was looked for?
    bool is_here() const { return here_; }

private:
    struct Entry {
        Program program;
        ProcessId absent;    // of the last answer, when it was not to be found; supervisord's start time
        pid_t told_pid = 0;  // supervisord's latest, looked at or not: each counts as one start
        UniqueFd pidfd;
        std::unique_ptr<FdWatch> watch;
    };
    // A process that is new to the table. The descriptor was there before the look: what was seen is about
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
    // For all looks of one answer: programs that hang must not keep the others waiting.
    static constexpr Milliseconds kLookLimit{2'000};

    void look();
    void on_look();
    void finish_look();
    void take_in(const Answer& answer);
    // What `line` says about the process of its program, beside what is known.
    struct News {
        bool start = false;  // a start that was not known
        bool same = false;   // the pidfd is silent: it is the same process, whatever its start time
        bool look = false;   // the process has to be looked at
    };
    static News news_of(const Entry& entry, const ProgramLine& line);
    void refresh(const Answer& answer, Entry& entry, const ProgramLine& line, bool first_seen);
    // By how many seconds the start that `line` tells of is earlier than that of the process that was seen.
    static double gap_of(const Answer& answer, const ProgramLine& line, const SeenProcess& seen);
    void find_clock_steps(const Answer& answer);
    bool is_clock_step(double gap, double slack) const;
    bool is_nowhere(Entry& entry, const ProgramLine& line) const;
    ProcessId strange(Entry& entry, const ProgramLine& line, const std::string& why, std::string& hidden);
    // The process that `line` tells of, if it lives, with its pidfd in `entry`; pid 0 if not, and why it
    // could not be looked at in `hidden`.
    ProcessId identified(const Answer& answer, Entry& entry, const ProgramLine& line, std::string& hidden);
    // Why it cannot be the process that `line` tells of; empty: it is.
    std::string stranger(const Answer& answer, const ProgramLine& line, const SeenProcess& seen) const;
    void watch_process(Entry& entry, UniqueFd pidfd);
    void on_pidfd(const std::string& name);
    void watch_supervisor(pid_t pid);

    Loop& loop_;
    bool local_;
    Identify identify_;
    Callbacks callbacks_;
    std::map<std::string, Entry> entries_;
    std::deque<Answer> waiting_;    // answers that have not been taken in, the oldest first
    std::map<pid_t, Look> looks_;   // for the oldest of them
    std::size_t looking_ = 0;       // those of looks_ that are under way, and look() itself
    std::uint64_t look_count_ = 0;  // of looks at the processes of an answer
    Timer look_limit_;
    bool here_ = false;
    std::vector<double> clock_steps_;  // gaps that more than one program had
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::map<std::string, std::uint64_t> former_starts_;  // of programs that were removed
    // supervisord itself, by the parent of the process that began last. One that is killed leaves its
    // programs running, so that none of their pidfds would tell.
    pid_t supervisor_ = 0;
    UniqueFd supervisor_pidfd_;
    std::unique_ptr<FdWatch> supervisor_watch_;
};

}  // namespace healthcheckd::master
