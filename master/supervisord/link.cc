#include "master/supervisord/link.h"

#include "common/log/log.h"
#include "common/text/printable.h"
#include "common/wire/channel.h"
#include "master/supervisord/link_child.h"

#include <csignal>

namespace healthcheckd::master {

namespace {

constexpr char kWho[] = "supervisord";

// A stopped connector does not notice that its link has ended. Both are in a session of their own (Spawner),
// and no other process or group gets that number until both are gone.
void end_group(pid_t link) {
    ::kill(-link, SIGKILL);
}

}  // namespace

Link::Link(Loop& loop, Spawner& spawner, LayerNotes& layers, std::shared_ptr<const Config> config,
           Callbacks callbacks)
    : spawner_(spawner), config_(std::move(config)), callbacks_(std::move(callbacks)),
      ask_timer_(loop, [this] { ask(); }),
      // A table of thousands of programs arrives in one burst.
      child_(loop, spawner, layers,
             {.who = kWho, .ready_limit = kAnswerLimit, .lines_per_second = 4 * kMostPrograms},
             {.spec = [this] { return spec(); },
              .on_line = [this](std::string_view line) { return on_line(line); },
              .on_failed_start =
                  [](const Error& error) {
                      log::error(kWho, "the link could not be started: {}", error.text());
                  },
              .on_late =
                  [this] {
                      if (asking_ || !child_.ready())
                          child_.replace("it did not answer in time");
                  },
              .on_replace = [](std::string_view why) { log::warning(kWho, "the link is replaced: {}", why); },
              .on_loss = [this](const ChildKeeper::Loss& loss) { on_loss(loss); },
              .on_gone = end_group}) {}

void Link::renew() {
    if (child_.pid() == 0)
        return;  // the next one will be started anyway
    asking_ = false;
    ask_timer_.stop();
    refresh_in(Milliseconds(0));
    child_.renew();
}

ChildSpec Link::spec() {
    ChildSpec spec(children::kLink);
    spec.user = spawner_.uids().take();
    spec.main = [config = config_, user = *spec.user, owner = owner_](pid_t master) {
        return run_link(*config, master, user, owner);
    };
    spec.secrets = config_->secrets.get();
    spec.group = SecretStore::kLink;
    return spec;
}

void Link::refresh_in(Milliseconds delay) {
    const TimePoint when = Clock::now() + delay;
    if (wish_ && *wish_ <= when)
        return;
    wish_ = when;
    if (child_.ready() && !asking_)
        ask_timer_.start(delay);
}

void Link::ask() {
    if (!child_.ready() || asking_)
        return;
    wish_.reset();
    Call call{++seq_, "list", ""};
    if (!child_.send(encode(call).line()))
        return child_.replace("it does not take questions");
    asking_ = true;
    asked_at_ = Clock::now();
    table_ = {};
    child_.set_deadline(kAnswerLimit);
}

bool Link::on_line(std::string_view text) {
    LinkLine line;
    if (!decode(text, line)) {
        log::warning(kWho, "the link wrote what it must not: {}", printable(text, 200));
        return false;
    }
    if (const auto* ready = std::get_if<Ready>(&line)) {
        child_.take(*ready);
        if (child_.ready() && wish_)
            ask_timer_.start_at(*wish_);
    } else if (const auto* broken = std::get_if<Broken>(&line)) {
        child_.take(*broken);
    } else if (const auto* owner = std::get_if<Owner>(&line)) {
        // The first one is kept. It only narrows the owners that the configuration lets later links accept: a
        // lying link can make them accept none, and no more.
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
    return true;
}

void Link::on_answer(const AnswerLine& answer) {
    asking_ = false;
    table_.took = std::chrono::ceil<Milliseconds>(Clock::now() - asked_at_);
    answer_took_ = {table_.took, answer_took_[0]};
    child_.clear_deadline();
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
    if (!child_.ready())
        return Error{"the supervisord link is not ready"};
    auto pair = make_seqpacket_pair();
    if (!pair)
        return pair.error();
    if (const auto sent = child_.send(encode(Peer{}).line(), pair->second.get()); !sent)
        return sent.error();
    return std::move(pair->first);
}

void Link::on_loss(const ChildKeeper::Loss& loss) {
    ask_timer_.stop();
    log::error(kWho, "the link process ended: {}", loss.why);
    if (std::exchange(asking_, false))
        callbacks_.on_failure("the link process ended: " + loss.why);
    refresh_in(Milliseconds(0));
}

}  // namespace healthcheckd::master
