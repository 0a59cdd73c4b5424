// A child that does one thing and ends, under a deadline. Master.
//
// At its deadline it is ended; where that does not end it (it waits in the kernel, state D), it is left behind, and
// counted until it is gone. Its owner decides how many of those there may be before it starts no other one.
#pragma once

#include "master/process/report_reader.h"
#include "master/process/spawner.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string_view>

namespace healthcheckd::master {

class Task {
public:
    struct Ways {
        Milliseconds limit{10'000};     // from its start, or from extend()
        Milliseconds end_limit{1'000};  // from a signal that ends it to its end
        bool asks_first = false;        // SIGTERM, and SIGKILL after end_limit: it has others to end
        std::size_t lines_per_second = 100;
    };
    struct Callbacks {
        // A line of it; false: it broke the protocol, and is ended.
        std::function<bool(std::string_view line)> on_line = {};
        // Its deadline is over, and what it had said until then has been heard: true to end it. Called once; not for
        // one that is ended for another reason.
        std::function<bool()> on_late = {};
        // It wrote what it must not, or too much: it is being ended.
        std::function<void(std::string_view why)> on_trouble = {};
        // It has ended, or was left behind (nullopt). Once; another one may be started.
        std::function<void(const std::optional<ChildEnd>& end)> on_end;
    };

    // `on_returned`: one that was left behind is gone.
    Task(Loop& loop, Spawner& spawner, std::function<void()> on_returned = {});
    // Ends it.
    ~Task();
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;

    // Starts it; one at a time. Fails when no process can be had; nothing is called then.
    Result<void> start(const ChildSpec& spec, Ways ways, Callbacks callbacks);
    // From now on it has this long.
    void extend(Milliseconds limit);
    // Ends it now, as at its deadline.
    void end();

    bool running() const { return child_.has_value(); }
    pid_t pid() const { return child_ ? child_->pid : 0; }
    // The master's end of its control channel; -1 where none runs.
    int control() const { return child_ ? child_->control.get() : -1; }
    std::size_t left_behind() const { return left_.size(); }

private:
    void on_deadline();
    void on_child_end(const ChildEnd& end);
    void leave();
    void over(const std::optional<ChildEnd>& end);

    Spawner& spawner_;
    std::function<void()> on_returned_;
    Ways ways_;
    Callbacks callbacks_;
    std::optional<ChildProcess> child_;
    std::unique_ptr<ReportReader> reader_;
    int signals_ = 0;                // that it has got from here
    std::uint64_t deadline_id_ = 0;  // another one with each deadline
    std::set<pid_t> left_;
    Timer deadline_;
};

}  // namespace healthcheckd::master
