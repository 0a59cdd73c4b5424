// What supervisord's programs are doing, and which process each has: a table kept by supervisord's answers
// and by pidfds. Master.
//
// As long as a program's pidfd is silent its process is there, and nobody needs to be asked. When it fires
// the program has ended: its owner hears of it at once and asks supervisord until it runs again.
#pragma once

#include "common/protocol.h"
#include "common/unique_fd.h"
#include "master/loop.h"

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
    std::string hidden;    // why the process that supervisord tells of could not be looked at; mostly empty
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
    };

    // `local`: supervisord's pids are processes of this machine. Without it they are only told apart.
    ProgramTable(Loop& loop, bool local, Callbacks callbacks)
        : loop_(loop), local_(local), callbacks_(std::move(callbacks)) {}

    // supervisord's answer to `list`: programs that are not in it are forgotten, but for their starts, so
    // that one which is removed and added again by `supervisorctl update` has been restarted.
    void update(const std::vector<ProgramLine>& lines);

    // By full name. nullptr: none.
    const Program* find(const std::string& name) const;
    // The full names of the programs whose part after the colon is `bare`.
    std::vector<std::string> members_named(const std::string& bare) const;
    // The full names of the members of `group`; "web" alone is the only member of a group of that name.
    std::vector<std::string> members_of(const std::string& group) const;
    // Will the end of its process be noticed at once, without asking supervisord?
    bool announces_end(const std::string& name) const;
    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        Program program;
        pid_t told_pid = 0;  // supervisord's latest, looked at or not: each counts as one start
        UniqueFd pidfd;
        std::unique_ptr<FdWatch> watch;
    };
    void refresh(Entry& entry, const ProgramLine& line, bool first_seen);
    // The process that `line` tells of, if it lives, with its pidfd in `entry`; pid 0 if not. Fails when that
    // cannot be found out (EMFILE).
    Result<ProcessId> identify(Entry& entry, const ProgramLine& line);
    void on_pidfd(const std::string& name);
    void watch_supervisor(pid_t pid);

    Loop& loop_;
    bool local_;
    Callbacks callbacks_;
    std::map<std::string, Entry> entries_;
    std::map<std::string, std::uint64_t> former_starts_;  // of programs that were removed
    // supervisord itself, by the parent of the process that began last. One that is killed leaves its
    // programs running, so that none of their pidfds would tell.
    pid_t supervisor_ = 0;
    UniqueFd supervisor_pidfd_;
    std::unique_ptr<FdWatch> supervisor_watch_;
};

}  // namespace healthcheckd::master
