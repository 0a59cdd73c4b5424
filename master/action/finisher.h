// Starts the child that finishes interrupted restarts: at the start, and after a restart that failed
// between stop and start. Master.
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
        std::function<std::set<std::string>()> busy;  // programs that an action is working on
        std::function<int()> disk_places;             // see DiskWork
    };
    explicit RestartFinisher(Dependencies needs);

    // Looks for records after `delay`, and again at growing intervals until none is left.
    void look(Milliseconds delay);
    // Returns whether an interrupted restart of the program is being finished, so that no action
    // may begin. This takes at most two calls to supervisord (24 s), and the second after which a
    // disk that hangs is given up.
    bool works_at(const std::string& program) const { return !program.empty() && program == claimed_; }
    // An action has ended: examines what was left alone because of it.
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
    bool wanted_ = false;   // look() was called after the child was started
    bool skipped_ = false;  // an action was under way when the child was started
    std::string claimed_;   // the program that the child works on; empty: none
    bool stopped_ = false;
    std::set<std::string> said_;  // since the last child that left nothing over
    Milliseconds pause_{kFirstPause};
    Timer timer_;
    Task task_;
};

}  // namespace healthcheckd::master
