// A child that does one task under a deadline and ends. Master.
//
// At the deadline it is killed. A child that SIGKILL does not end (it waits in the kernel, state D) is
// abandoned, and counted until it ends. The owner decides up to how many of those it starts another child.
#pragma once

#include "master/process/report_reader.h"
#include "master/process/spawner.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace healthcheckd::master {

class Task {
public:
    struct Ways {
        Milliseconds limit{10'000};     // from its start, or from extend()
        Milliseconds end_limit{1'000};  // from a signal that should end it until the next step
        // Sends SIGTERM first, and SIGKILL after end_limit: the child has to end others.
        bool asks_first = false;
        std::size_t lines_per_second = 100;
    };
    struct Callbacks {
        // Handles a line. Returns false when it violates the protocol; the child is then ended. Without this callback
        // the child may write `broken` only, which failure() then gives.
        std::function<bool(std::string_view line)> on_line = {};
        // The deadline has passed, and all that the child had written has been read. Returns whether to end it.
        // Called again when extend() has set another one; not when the child is being ended.
        std::function<bool()> on_late = {};
        // The child violated the protocol or wrote too much, and is being ended.
        std::function<void(std::string_view why)> on_trouble = {};
        // The child has ended, or was abandoned (nullopt). Called once; another one may be started from here.
        std::function<void(const std::optional<ChildEnd>& end)> on_end;
    };

    // `on_returned`: an abandoned child has ended.
    Task(Loop& loop, Spawner& spawner, std::function<void()> on_returned = {});
    // Ends the child.
    ~Task();
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;

    // Starts the child; only one at a time. Fails when no process can be started; no callback follows then.
    Result<void> start(const ChildSpec& spec, Ways ways, Callbacks callbacks);
    // Sets the deadline to `limit` from now.
    void extend(Milliseconds limit);
    // Ends the child now, as at its deadline. Does nothing when it is already being ended: a child that was asked to
    // end keeps the time that it has.
    void end();

    bool running() const { return child_.has_value(); }
    pid_t pid() const { return child_ ? child_->pid : 0; }
    // The master's end of its control channel; -1 when no child runs.
    int control() const { return child_ ? child_->control.get() : -1; }
    // The same, for an owner that reads from it after the child's end.
    UniqueFd take_control() { return child_ ? std::move(child_->control) : UniqueFd(); }
    // Why the last one that was started failed: what it said of itself where nobody else takes its lines, or how it
    // ended; empty: it did not fail. Not changed by a start() that fails.
    const std::string& failure() const { return failure_; }
    std::size_t left_behind() const { return left_.size(); }

private:
    bool on_line(std::string_view line);
    void on_trouble(std::string_view why);
    void on_deadline();
    void signal();
    void leave();
    void over(const std::optional<ChildEnd>& end);

    Spawner& spawner_;
    std::function<void()> on_returned_;
    Ways ways_;
    Callbacks callbacks_;
    std::optional<ChildProcess> child_;
    std::unique_ptr<ReportReader> reader_;
    std::string broken_;  // the first reason of its end that was heard
    std::string failure_;
    int signals_ = 0;                // signals sent to it so far
    std::uint64_t deadline_id_ = 0;  // changes with each deadline
    std::set<pid_t> left_;
    Timer deadline_;
};

}  // namespace healthcheckd::master
