// Sees to it that restarts which were left in the middle are finished: at the start, and after one that
// failed between stop and start. Master.
#pragma once

#include "master/process/task.h"

#include <functional>
#include <memory>
#include <set>
#include <string>

namespace healthcheckd::master {

class RestartFinisher {
public:
    struct Dependencies {
        Loop& loop;
        Spawner& spawner;
        std::string state_dir;
        std::function<Result<UniqueFd>()> open_peer;
        std::function<std::set<std::string>()> busy;  // programs that an action works at
        std::function<int()> disk_places;             // see DiskWork
    };
    explicit RestartFinisher(Dependencies needs);

    // Looks for records after `delay`, and again, ever more rarely, until none is left.
    void look(Milliseconds delay);
    // Is what a restart of the program has left being dealt with? Then none may begin. That lasts two calls
    // of supervisord at most (24 s) and the second that the disk of stateDir gets, whatever is left of
    // others.
    bool works_at(const std::string& program) const { return !program.empty() && program == claimed_; }
    // An action has ended: what was left alone because of it is looked at.
    void on_action_end();
    void stop();

private:
    static constexpr Milliseconds kFirstPause{1'000};
    static constexpr Milliseconds kMostPause{30'000};
    static constexpr Milliseconds kLimit{300'000};  // for one child: several calls for each record

    void begin();
    bool on_line(std::string_view text);
    void on_claim(const std::string& program);
    void on_end();
    void again();

    Dependencies deps_;
    bool finished_ = false;
    bool wanted_ = false;   // somebody asked for a look after the child was born
    bool skipped_ = false;  // an action was at work when it was born
    std::string claimed_;   // what it works at; empty: nothing
    bool stopped_ = false;
    std::set<std::string> said_;  // since the last look that left nothing
    Milliseconds pause_{kFirstPause};
    Timer timer_;
    Task task_;
};

}  // namespace healthcheckd::master
