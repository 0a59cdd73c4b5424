#include "master/process/keeper.h"

#include "common/wire/channel.h"

#include <algorithm>
#include <utility>

namespace healthcheckd::master {

ChildKeeper::ChildKeeper(Loop& loop, Spawner& spawner, LayerNotes& layers, Ways ways, Callbacks callbacks)
    : loop_(loop), spawner_(spawner), layers_(layers), ways_(std::move(ways)),
      callbacks_(std::move(callbacks)), deadline_(loop, [this] { on_deadline(); }),
      reap_(loop, [this] { on_corpse(); }), restart_(loop, [this] {
          resting_ = false;
          if (ways_.restarts)
              start();
          else if (callbacks_.on_rested)
              callbacks_.on_rested();
      }) {}

ChildKeeper::~ChildKeeper() {
    if (!child_)
        return;
    const pid_t pid = child_->pid;
    if (ways_.reap_limit)
        count_corpse();
    else
        spawner_.forget(pid);
    spawner_.kill(pid);
    if (callbacks_.on_gone)
        callbacks_.on_gone(pid);
}

void ChildKeeper::start() {
    if (child_ || stopped_ || (resting_ && !ways_.restarts))
        return;
    if (const auto wait = callbacks_.put_off ? callbacks_.put_off() : std::nullopt)
        return rest(*wait);
    SpawnRequest next = birth();
    next.on_spawned(spawner_.spawn(next.spec, std::move(next.on_end)));
}

SpawnRequest ChildKeeper::birth() {
    restart_.stop();
    resting_ = false;
    why_.clear();
    asked_ = false;
    backoff_.on_start(Clock::now());
    ++starts_;
    return {callbacks_.spec(), [this](const ChildEnd& end) { on_end(end); },
            [this](Result<ChildProcess> child) {
                born(std::move(child));
            }};
}

void ChildKeeper::born(Result<ChildProcess> child) {
    if (!child) {
        rest(std::max(backoff_.on_end(Clock::now()), Backoff::kFirst));
        return callbacks_.on_failed_start(child.error());
    }
    child_ = std::move(*child);
    state_ = State::starting;
    reader_ = std::make_unique<ReportReader>(
        spawner_.reports(), std::move(child_->report),
        ReportReader::Limits{.lines_per_second = ways_.lines_per_second},
        [this](std::string_view line) {
            if (!callbacks_.on_line(line) && state_ != State::killed)
                replace("it broke the protocol");
        },
        [this](std::string_view why) { replace(why); });
    set_deadline(ways_.ready_limit);
}

void ChildKeeper::take(const Ready& ready) {
    if (state_ == State::ready)
        return replace("it said twice that it is ready");
    if (state_ != State::starting)
        return;  // it was told to finish before
    layers_.note(ways_.who, ready.missing);
    state_ = State::ready;
    clear_deadline();
}

// The first message is the cause: messages of the child's own children arrive before its own.
void ChildKeeper::take(const Broken& broken) {
    if (why_.empty())
        why_ = broken.message;
}

Result<void> ChildKeeper::send(std::string_view line, int attached) {
    if (control() < 0)
        return Error{"it is not there", ENOTCONN};
    return send_packet(control(), line, attached);
}

void ChildKeeper::set_deadline(Milliseconds limit) {
    ++deadline_id_;
    deadline_.start(limit);
}

void ChildKeeper::clear_deadline() {
    ++deadline_id_;
    deadline_.stop();
}

void ChildKeeper::drain() {
    if (reader_)
        reader_->drain();
}

// After a stall of the master its timers fire before lines that the child wrote long ago are read.
void ChildKeeper::on_deadline() {
    const std::uint64_t id = deadline_id_;
    drain();
    if (!child_ || id != deadline_id_ || state_ == State::killed)
        return;
    callbacks_.on_late();
}

void ChildKeeper::replace(std::string_view why) {
    if (!child_ || state_ == State::killed)
        return;
    why_ = why;
    if (callbacks_.on_replace)
        callbacks_.on_replace(why);
    state_ = State::killed;
    reader_->stop();
    clear_deadline();
    spawner_.kill(child_->pid);
    if (ways_.reap_limit)
        reap_.start(*ways_.reap_limit);
}

void ChildKeeper::leave() {
    if (!child_)
        return;
    count_corpse();
    spawner_.kill(child_->pid);
    forget();
}

void ChildKeeper::forget() {
    if (callbacks_.on_gone)
        callbacks_.on_gone(child_->pid);
    reader_.reset();
    child_.reset();
    clear_deadline();
    reap_.stop();
    state_ = State::none;
}

void ChildKeeper::renew() {
    if (!child_)
        return;  // the next one will be started anyway
    spawner_.forget(child_->pid);
    spawner_.kill(child_->pid);
    forget();
    start();
}

void ChildKeeper::finish(Milliseconds limit) {
    if (!child_)
        return;
    asked_ = true;
    child_->control.reset();
    if (state_ == State::killed)
        return;
    state_ = State::finishing;
    set_deadline(limit);
}

void ChildKeeper::stop() {
    stopped_ = true;
    restart_.stop();
    if (child_)
        child_->control.reset();
}

void ChildKeeper::on_end(const ChildEnd& end) {
    drain();
    lose(end.pid, end.text());
}

// A process that hangs in the kernel handles SIGKILL when it returns from there.
void ChildKeeper::on_corpse() {
    if (!child_)
        return;
    const pid_t pid = child_->pid;
    count_corpse();
    lose(pid, "SIGKILL does not end it: it hangs in the kernel");
}

void ChildKeeper::count_corpses(std::shared_ptr<std::size_t> corpses, std::function<void()> on_end) {
    corpses_ = std::move(corpses);
    on_corpse_end_ = std::move(on_end);
}

void ChildKeeper::count_corpse() {
    ++*corpses_;
    spawner_.on_end(child_->pid, [corpses = corpses_, on_end = on_corpse_end_](const ChildEnd&) {
        --*corpses;
        if (on_end)
            on_end();
    });
}

void ChildKeeper::lose(pid_t pid, const std::string& exit) {
    Loss loss{pid, exit, why_.empty() ? exit : why_, asked_, {}};
    forget();
    if (!loss.asked)
        loss.wait = backoff_.on_end(Clock::now());
    resting_ = loss.wait > Milliseconds(0);
    if (!stopped_ && (ways_.restarts || resting_))
        restart_.start(loss.wait);
    callbacks_.on_loss(loss);
}

void ChildKeeper::rest(Milliseconds wait) {
    if (stopped_)
        return;
    resting_ = wait != kUntilStart;
    if (resting_)
        restart_.start(wait);
    else
        restart_.stop();
}

void ChildKeeper::wake() {
    if (resting_ && !stopped_)
        restart_.start(Milliseconds(0));
}

}  // namespace healthcheckd::master
