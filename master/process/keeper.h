// A child that the master keeps: started, heard, ended when it does not do its work, and started again. Master.
//
//   none      start() -> starting; with Ways::restarts by itself, after the back-off
//   starting  `ready` -> ready                     it has Ways::ready_limit for that
//   ready     finish() -> finishing                it does what its owner tells it
//   finishing its end -> starting, at once         its control channel is closed: it ends what it has begun
//   killed    its end -> none                      from any of the three, by replace()
//
// An end that nobody asked for leads from each of them to none. Where Ways::reap_limit is set, one that does not end by
// SIGKILL (it waits in the kernel, state D) is left behind, counted, and followed by the next one.
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

    struct Ways {
        std::string who;                              // whom the log says a missing layer of the sandbox of
        Milliseconds ready_limit{10'000};             // from its start to `ready`
        std::size_t lines_per_second = 100;           // it is ended when it writes more
        std::optional<Milliseconds> reap_limit = {};  // from SIGKILL until it is left behind; nullopt: never
        bool restarts = true;  // by itself; else when start() is called and the back-off is over
    };
    // What is known of one that has ended.
    struct Loss {
        pid_t pid = 0;
        std::string exit;     // "exit status 1"
        std::string why;      // why it was ended, or what it said of itself; else `exit`
        bool asked = false;   // it had been told to finish
        Milliseconds wait{};  // until the next one
    };
    struct Callbacks {
        // The next child.
        std::function<ChildSpec()> spec;
        // Whether none is to be started now: how long to wait before it is asked again, 0: until start() is called.
        std::function<std::optional<Milliseconds>()> put_off = {};
        // A line of it; false: it broke the protocol. `ready` and `broken` are for take().
        std::function<bool(std::string_view line)> on_line;
        // It could not be started; the next try comes after the back-off.
        std::function<void(const Error& error)> on_failed_start;
        // A deadline has passed, and what it had said until then has been heard: why it is to be replaced; empty: not
        // at all.
        std::function<std::string()> on_late;
        std::function<void(std::string_view why)> on_replace = {};
        // It is gone, or left behind; state() is none already.
        std::function<void(const Loss& loss)> on_loss;
        // It is gone, or as good as that, whatever ended it; its channels are still there.
        std::function<void(pid_t pid)> on_gone = {};
        // The back-off is over, where it does not restart by itself.
        std::function<void()> on_rested = {};
    };

    ChildKeeper(Loop& loop, Spawner& spawner, LayerNotes& layers, Ways ways, Callbacks callbacks);
    // Ends it.
    ~ChildKeeper();
    ChildKeeper(const ChildKeeper&) = delete;
    ChildKeeper& operator=(const ChildKeeper&) = delete;

    // Starts one now; nothing where there is one, after stop(), and while it rests without restarting by itself.
    void start();
    // The same, to be born among others.
    SpawnRequest birth();
    // Another one in place of this one, at once and without a loss; nothing where none is there.
    void renew();
    // Lets it finish what it has begun, for `limit`; another one follows. Not where none is there.
    void finish(Milliseconds limit);
    // Lets it finish, and starts none any more.
    void stop();
    // Ends it: for `why`, the next one follows.
    void replace(std::string_view why);
    // Ends it and leaves it behind at once, without a loss and without a back-off.
    void leave();
    // Starts none for so long.
    void rest(Milliseconds wait);

    // To be called with these lines of it. False: it broke the protocol.
    bool take(const Ready& ready);
    bool take(const Broken& broken);
    // A line to it, with a descriptor. It is not replaced when that fails.
    Result<void> send(std::string_view line, int attached = -1);

    // Something must come within `limit`: on_late() else. In place of an earlier deadline.
    void set_deadline(Milliseconds limit);
    void clear_deadline();
    // What it has said is heard now.
    void drain();

    State state() const { return state_; }
    bool ready() const { return state_ == State::ready; }
    bool resting() const { return resting_; }
    pid_t pid() const { return child_ ? child_->pid : 0; }
    // The master's end of its control channel; -1 where there is none.
    int control() const { return child_ ? child_->control.get() : -1; }
    // How many were started.
    std::uint64_t starts() const { return starts_; }
    // How many were left behind and have not ended yet.
    const std::shared_ptr<std::size_t>& corpses() const { return corpses_; }
    // Counts them elsewhere from now on, and calls `on_end` at the end of each.
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
    bool asked_ = false;  // it was told to finish, however it then ended
    bool resting_ = false;
    std::optional<ChildProcess> child_;
    std::unique_ptr<ReportReader> reader_;
    std::string why_;                // why it was ended, or its own word
    std::uint64_t deadline_id_ = 0;  // another one with each that is set or cleared
    std::uint64_t starts_ = 0;
    std::shared_ptr<std::size_t> corpses_ = std::make_shared<std::size_t>(0);
    std::function<void()> on_corpse_end_;
    Backoff backoff_;
    Timer deadline_;
    Timer reap_;
    Timer restart_;
};

}  // namespace healthcheckd::master
