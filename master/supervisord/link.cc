#include "master/supervisord/link.h"

#include "common/log/log.h"
#include "common/text/printable.h"
#include "common/wire/channel.h"
#include "master/supervisord/link_child.h"

#include <csignal>

namespace healthcheckd::master {

namespace {

// A connector that is stopped does not learn that its link has ended. They are a session of their own
// (Spawner), and until both are gone no other process or group gets that number.
void end_group(pid_t link) {
    ::kill(-link, SIGKILL);
}

}  // namespace

Link::Link(Loop& loop, Spawner& spawner, LayerNotes& layers, std::shared_ptr<const Config> config,
           Callbacks callbacks)
    : loop_(loop), spawner_(spawner), layers_(layers), config_(std::move(config)),
      callbacks_(std::move(callbacks)), ask_timer_(loop, [this] { ask(); }),
      answer_timer_(loop, [this] { on_deadline(); }), spawn_timer_(loop, [this] { spawn(); }) {}

Link::~Link() {
    if (child_) {
        spawner_.forget(child_->pid);
        spawner_.kill(child_->pid);
        end_group(child_->pid);
    }
}

void Link::start() {
    spawn();
}

void Link::renew() {
    if (!child_)
        return;  // the next one is on its way
    spawner_.forget(child_->pid);
    spawner_.kill(child_->pid);
    end_group(child_->pid);
    reader_.reset();
    child_.reset();
    ready_ = asking_ = false;
    ask_timer_.stop();
    answer_timer_.stop();
    refresh_in(Milliseconds(0));
    spawn();
}

void Link::spawn() {
    ChildSpec spec;
    spec.title = "healthcheckd: supervisord link";
    spec.user = spawner_.uids().take();
    spec.main = [config = config_, user = *spec.user, owner = owner_](pid_t master) {
        return run_link(*config, master, user, owner);
    };
    spec.secrets = config_->secrets.get();
    spec.group = SecretStore::kLink;
    backoff_.on_start(Clock::now());
    broken_.clear();
    auto child = spawner_.spawn(spec, [this](const ChildEnd& end) { on_end(end); });
    if (!child) {
        log::error("supervisord", "the link could not be started: {}", child.error().text());
        spawn_timer_.start(std::max(backoff_.on_end(Clock::now()), Backoff::kFirst));
        return;
    }
    child_ = std::move(*child);
    // A table of thousands of programs comes in one burst.
    reader_ = std::make_unique<ReportReader>(
        spawner_.reports(), std::move(child_->report),
        ReportReader::Limits{.lines_per_second = 4 * kMostPrograms},
        [this](std::string_view line) { on_line(line); }, [this](std::string_view why) { replace(why); });
    answer_timer_.start(kAnswerLimit);  // for `ready`
}

void Link::refresh_in(Milliseconds delay) {
    const TimePoint when = Clock::now() + delay;
    if (wish_ && *wish_ <= when)
        return;
    wish_ = when;
    if (ready_ && !asking_)
        ask_timer_.start(delay);
}

void Link::ask() {
    if (!ready_ || asking_)
        return;
    wish_.reset();
    Call call{++seq_, "list", ""};
    if (const auto sent = send_packet(child_->control.get(), encode(call).line()); !sent) {
        replace("it does not take questions");
        return;
    }
    asking_ = true;
    asked_at_ = Clock::now();
    table_ = {};
    answer_timer_.start(kAnswerLimit);
}

void Link::on_deadline() {
    // After a standstill of the master its timers come before what the link has long said.
    reader_->drain();
    if (asking_ || !ready_)
        replace("it did not answer in time");
}

void Link::on_line(std::string_view text) {
    LinkLine line;
    if (!decode(text, line)) {
        log::warning("supervisord", "the link wrote what it must not: {}", printable(text, 200));
        replace("it broke the protocol");
        return;
    }
    if (const auto* ready = std::get_if<Ready>(&line)) {
        if (ready_)
            return replace("it said twice that it is ready");
        layers_.note("supervisord", ready->missing);
        ready_ = true;
        answer_timer_.stop();
        if (wish_)
            ask_timer_.start_at(*wish_);
    } else if (const auto* broken = std::get_if<Broken>(&line)) {
        // The first is the cause: the connector's comes before the link's own.
        if (broken_.empty())
            broken_ = broken->message;
    } else if (const auto* owner = std::get_if<Owner>(&line)) {
        // The first one holds. It only narrows whom the configuration lets later links believe: one that lies
        // here can keep them from believing anybody, and no more.
        if (!owner_)
            owner_ = owner->uid;
    } else if (const auto* program = std::get_if<ProgramLine>(&line)) {
        if (asking_ && program->seq == seq_ && table_.programs.size() < kMostPrograms)
            table_.programs.push_back(*program);
    } else if (const auto* supervisord = std::get_if<SupervisorLine>(&line)) {
        if (asking_ && supervisord->seq == seq_)
            table_.supervisord = *supervisord;
    } else if (const auto* answer = std::get_if<AnswerLine>(&line)) {
        if (asking_ && answer->seq == seq_)
            on_answer(*answer);
    }
}

void Link::on_answer(const AnswerLine& answer) {
    asking_ = false;
    table_.took = std::chrono::ceil<Milliseconds>(Clock::now() - asked_at_);
    answer_took_ = {table_.took, answer_took_[0]};
    answer_timer_.stop();
    if (answer.code != kCallOk)
        callbacks_.on_failure(answer.message);
    else if (answer.count != table_.programs.size())
        callbacks_.on_failure("the link's table is incomplete");
    else
        callbacks_.on_table(table_);
    table_ = {};
    if (wish_)
        ask_timer_.start_at(*wish_);
}

Result<UniqueFd> Link::open_peer() {
    if (!ready_)
        return Error{"the supervisord link is not ready"};
    auto pair = make_seqpacket_pair();
    if (!pair)
        return pair.error();
    if (const auto sent = send_packet(child_->control.get(), encode(Peer{}).line(), pair->second.get());
        !sent)
        return sent.error();
    return std::move(pair->first);
}

void Link::replace(std::string_view why) {
    log::warning("supervisord", "the link is replaced: {}", why);
    if (reader_)
        reader_->stop();
    answer_timer_.stop();
    if (child_)
        spawner_.kill(child_->pid);
}

void Link::on_end(const ChildEnd& end) {
    end_group(end.pid);
    reader_->drain();
    reader_.reset();
    child_.reset();
    ready_ = false;
    ask_timer_.stop();
    answer_timer_.stop();
    const std::string why = broken_.empty() ? end.text() : broken_;
    log::error("supervisord", "the link process ended: {}", why);
    if (std::exchange(asking_, false))
        callbacks_.on_failure("the link process ended: " + why);
    refresh_in(Milliseconds(0));
    spawn_timer_.start(backoff_.on_end(Clock::now()));
}

}  // namespace healthcheckd::master
