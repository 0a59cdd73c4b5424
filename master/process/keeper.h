// A permanent child of the master: starts it, reads its lines, kills it when it does not do its
// work, and restarts it. Master.
//
//   none      start() -> starting; with Ways::restarts also by itself, after the back-off
//   starting  `ready` -> ready                     within Ways::ready_limit
//   ready     finish() -> finishing                it carries out its owner's commands
//   finishing its end -> starting, at once         its control channel is closed: it completes what it has begun
//   killed    its end -> none                      entered from any of the three, by replace()
//
// An unexpected end leads from each of them to none. With Ways::reap_limit, a child that SIGKILL does not end
// (it waits in the kernel, state D) is abandoned and counted, and the next one is started.
#pragma once

#include "common/wire/protocol.h"
#include "master/process/backoff.h"
#include "master/process/layer_notes.h"
#include "master/process/report_reader.h"
#include "master/process/spawner.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace healthcheckd::master {

class ChildKeeper {
public:
    enum class State : std::uint8_t { none, starting, ready, finishing, killed };
    static constexpr Milliseconds kUntilStart = Milliseconds::max();

    struct Ways {
        std::string who;                              // named by the log line about missing sandbox layers
        Milliseconds ready_limit{10'000};             // deadline for `ready`, from its start
        std::size_t lines_per_second = 100;           // a child that writes more is killed
        std::optional<Milliseconds> reap_limit = {};  // from SIGKILL until it is abandoned; nullopt: never
        bool restarts = true;  // starts the next one by itself; else start() does, after the back-off
    };
    // A child that has ended or was abandoned.
    struct Loss {
        pid_t pid = 0;
        std::string exit;     // "exit status 1"
        std::string why;      // why it was killed, or its own `broken` message; else `exit`
        bool asked = false;   // finish() had been called
        Milliseconds wait{};  // back-off before the next one
    };
    struct Callbacks {
        // Returns the next child.
        std::function<ChildSpec()> spec;
        // Returns whether the start must wait: the delay until the next attempt, or kUntilStart; nullopt: no.
        std::function<std::optional<Milliseconds>()> put_off = {};
        // Handles a line of the child; `ready` and `broken` are passed on to take(). Returns false when the
        // line violates the protocol.
        std::function<bool(std::string_view line)> on_line;
        // The child could not be started; the next attempt follows after the back-off.
        std::function<void(const Error& error)> on_failed_start;
        // A deadline has passed, and all that the child had written has been read. The owner calls replace() or
        // leave(), or lets the child go on.
        std::function<void()> on_late;
        std::function<void(std::string_view why)> on_replace = {};
        // The child has ended or was abandoned; state() is none already.
        std::function<void(const Loss& loss)> on_loss;
        // As on_loss, whatever the cause, but earlier: the channels are still open.
        std::function<void(pid_t pid)> on_gone = {};
        // The back-off is over; called without Ways::restarts.
        std::function<void()> on_rested = {};
    };

    ChildKeeper(Loop& loop, Spawner& spawner, LayerNotes& layers, Ways ways, Callbacks callbacks);
    // Kills the child.
    ~ChildKeeper();
    ChildKeeper(const ChildKeeper&) = delete;
    ChildKeeper& operator=(const ChildKeeper&) = delete;

    // Starts a child now. Does nothing while there is one, after stop(), and without
    // Ways::restarts during the back-off.
    void start();
    // As start(), but returns the request for Spawner::spawn_all().
    SpawnRequest birth();
    // Kills the child and starts another one at once; not a loss. Does nothing when there is no child.
    void renew();
    // Closes the control channel, so that the child completes what it has begun, within `limit`; the next one
    // follows. Does nothing when there is no child.
    void finish(Milliseconds limit);
    // Closes the control channel, so that the child completes what it has begun, and starts no further child.
    void stop();
    // Kills the child because of `why`; the next one follows.
    void replace(std::string_view why);
    // Kills the child and abandons it at once; neither a loss nor a back-off.
    void leave();
    // Delays the next start by `wait`, more than 0, or until start() is called.
    void rest(Milliseconds wait);
    // Its rest is over at once.
    void wake();

    // To be called by on_line() for these messages. A second `ready` has the child replaced.
    void take(const Ready& ready);
    void take(const Broken& broken);
    // Sends a line, with a descriptor. The child is not replaced on failure.
    Result<void> send(std::string_view line, int attached = -1);

    // Sets the deadline for the child's next message, in place of an earlier deadline; on_late()
    // is called when it passes.
    void set_deadline(Milliseconds limit);
    void clear_deadline();
    // Handles now what the child has written.
    void drain();

    State state() const { return state_; }
    bool ready() const { return state_ == State::ready; }
    bool resting() const { return resting_; }
    pid_t pid() const { return child_ ? child_->pid : 0; }
    // The master's end of its control channel; -1 when there is no child.
    int control() const { return child_ ? child_->control.get() : -1; }
    // The number of children started.
    std::uint64_t starts() const { return starts_; }
    // The number of children that were abandoned and have not ended yet.
    const std::shared_ptr<std::size_t>& corpses() const { return corpses_; }
    // Counts abandoned children in `corpses` from now on; `on_end` is called at the end of each.
    void count_corpses(std::shared_ptr<std::size_t> corpses, std::function<void()> on_end);

private:
    void born(Result<ChildProcess> child);
    void on_deadline();
    void on_end(const ChildEnd& end);
    void on_corpse();
    void lose(pid_t pid, const std::string& exit);
    void count_corpse();
    void forget();

    Loop& loop_;
    Spawner& spawner_;
    LayerNotes& layers_;
    const Ways ways_;
    Callbacks callbacks_;
    State state_ = State::none;
    bool stopped_ = false;
    bool asked_ = false;  // finish() was called, however the child then ended
    bool resting_ = false;
    std::optional<ChildProcess> child_;
    std::unique_ptr<ReportReader> reader_;
    std::string why_;                // why it was killed, or its own `broken` message
    std::uint64_t deadline_id_ = 0;  // changes whenever the deadline is set or cleared
    std::uint64_t starts_ = 0;
    std::shared_ptr<std::size_t> corpses_ = std::make_shared<std::size_t>(0);
    std::function<void()> on_corpse_end_;
    Backoff backoff_;
    Timer deadline_;
    Timer reap_;
    Timer restart_;
};

}  // namespace healthcheckd::master
