#include "master/action/finisher.h"

#include "common/log/log.h"
#include "common/wire/protocol.h"
#include "master/action/action_child.h"

#include <algorithm>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMostSaid = 1'000;  // sentences that are not said again

}  // namespace

RestartFinisher::RestartFinisher(Needs needs)
    : needs_(std::move(needs)), timer_(needs_.loop, [this] { begin(); }) {}

RestartFinisher::~RestartFinisher() {
    for (const pid_t pid : {pid_, hung_}) {
        needs_.spawner.forget(pid);
        needs_.spawner.kill(pid);
    }
}

void RestartFinisher::look(Milliseconds delay) {
    if (stopped_)
        return;
    pause_ = kFirstPause;
    wanted_ = pid_ != 0;  // the child that runs may have gone through the records already
    if (!wanted_)
        timer_.start(delay);
}

void RestartFinisher::on_action_end() {
    if (std::exchange(skipped_, false))
        look(Milliseconds(0));
}

void RestartFinisher::stop() {
    stopped_ = true;
    timer_.stop();
}

void RestartFinisher::begin() {
    // Another one would hang as well.
    auto peer = hung_ == 0 ? needs_.open_peer() : Error{"the last one hangs"};
    if (!peer)
        return again();
    ChildSpec spec;
    spec.title = "healthcheckd: unfinished restarts";
    std::set<std::string> at_work = needs_.busy();
    skipped_ = !at_work.empty();
    spec.extra_fds = {peer->get()};
    const int places = needs_.disk_places();
    if (places >= 0)
        spec.extra_fds.push_back(places);
    spec.main = [dir = needs_.state_dir, busy = std::move(at_work), places](pid_t) {
        return run_finish(dir, busy, kFirstExtraFd, places >= 0 ? kFirstExtraFd + 1 : -1);
    };
    spec.limit = kLimit;
    finished_ = wanted_ = false;
    auto child = needs_.spawner.spawn(spec, [this](const ChildEnd&) { on_end(); });
    if (!child)
        return again();
    pid_ = child->pid;
    control_ = std::move(child->control);
    reader_ = std::make_unique<ReportReader>(
        needs_.spawner.reports(), std::move(child->report), ReportReader::Limits{.lines_per_second = 5000},
        [this](std::string_view text) { on_line(text); },
        [this](std::string_view) { needs_.spawner.kill(pid_); });
}

void RestartFinisher::on_line(std::string_view text) {
    ActionLine line;
    if (!decode(text, line)) {
        needs_.spawner.kill(pid_);
    } else if (const auto* sentence = std::get_if<Output>(&line)) {
        if (said_.size() >= kMostSaid)
            said_.clear();
        if (said_.insert(sentence->text).second)
            log::warning("restarts", "{}", sentence->text);
    } else if (const auto* stage = std::get_if<Stage>(&line)) {
        on_claim(stage->message);
    } else if (const auto* done = std::get_if<Done>(&line)) {
        finished_ = done->ok;
    } else if (const auto* broken = std::get_if<Broken>(&line)) {
        log::error("restarts", "the process that finishes them ended: {}", broken->message);
    }
}

// What the child is about to work at; empty: it is done with that. It may, unless an action has begun there
// since it was born.
void RestartFinisher::on_claim(const std::string& program) {
    claimed_.clear();
    if (program.empty())
        return;
    const bool taken = needs_.busy().contains(program);
    skipped_ = skipped_ || taken;
    if (!taken)
        claimed_ = program;
    const char word = taken ? kDenied : kGranted;
    (void)!::write(control_.get(), &word, 1);
}

void RestartFinisher::on_end() {
    reader_->drain();
    reader_.reset();
    control_.reset();
    if (needs_.spawner.is_child(pid_)) {
        hung_ = pid_;
        needs_.spawner.on_end(pid_, [this](const ChildEnd&) { hung_ = 0; });
    }
    pid_ = 0;
    claimed_.clear();
    if (!finished_ || wanted_)
        again();
    else
        skipped_ = false, said_.clear();  // none of the actions at work has left anything
}

void RestartFinisher::again() {
    if (stopped_)
        return;
    timer_.start(pause_);
    pause_ = std::min(kMostPause, pause_ * 2);
}

}  // namespace healthcheckd::master
