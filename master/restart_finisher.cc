#include "master/restart_finisher.h"

#include "common/log.h"
#include "common/protocol.h"
#include "master/action_process.h"

#include <algorithm>
#include <unistd.h>

namespace healthcheckd::master {

RestartFinisher::RestartFinisher(Needs needs)
    : needs_(std::move(needs)), timer_(needs_.loop, [this] { begin(); }),
      deadline_(needs_.loop, [this] { needs_.spawner.kill(pid_); }) {}

RestartFinisher::~RestartFinisher() {
    if (pid_ != 0) {
        needs_.spawner.forget(pid_);
        needs_.spawner.kill(pid_);
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
    auto peer = needs_.open_peer();
    if (!peer)
        return again();
    ChildSpec spec;
    spec.title = "healthcheckd: unfinished restarts";
    std::set<std::string> at_work = needs_.busy();
    skipped_ = !at_work.empty();
    spec.main = [dir = needs_.state_dir, busy = std::move(at_work)](pid_t) {
        return run_finish(dir, busy, kFirstExtraFd);
    };
    spec.extra_fds = {peer->get()};
    finished_ = wanted_ = false;
    auto child = needs_.spawner.spawn(spec, [this](const ChildEnd&) { on_end(); });
    if (!child)
        return again();
    pid_ = child->pid;
    control_ = std::move(child->control);
    reader_ = std::make_unique<ReportReader>(
        needs_.loop, std::move(child->report), ReportReader::Limits{.lines_per_second = 5000},
        [this](std::string_view text) { on_line(text); },
        [this](std::string_view) { needs_.spawner.kill(pid_); });
    deadline_.start(kLimit);
}

void RestartFinisher::on_line(std::string_view text) {
    ActionLine line;
    if (!decode(text, line)) {
        needs_.spawner.kill(pid_);
    } else if (const auto* sentence = std::get_if<Output>(&line)) {
        if (sentence->text != last_said_)
            log::warning("restarts", "{}", sentence->text);
        last_said_ = sentence->text;
    } else if (const auto* stage = std::get_if<Stage>(&line)) {
        on_claim(stage->message);
    } else if (const auto* done = std::get_if<Done>(&line)) {
        finished_ = done->ok;
    }
}

// Empty after the last one: then it may begin, unless an action has begun since the child was born.
void RestartFinisher::on_claim(const std::string& program) {
    if (!program.empty()) {
        claimed_.insert(program);
        return;
    }
    const std::set<std::string> busy = needs_.busy();
    skipped_ = skipped_ || !busy.empty();
    if (std::ranges::any_of(busy, [&](const std::string& each) { return claimed_.contains(each); }))
        needs_.spawner.kill(pid_);
    else
        (void)!::write(control_.get(), "", 1);
}

void RestartFinisher::on_end() {
    reader_->drain();
    reader_.reset();
    control_.reset();
    deadline_.stop();
    pid_ = 0;
    claimed_.clear();
    if (!finished_ || wanted_)
        again();
}

void RestartFinisher::again() {
    if (stopped_)
        return;
    timer_.start(pause_);
    pause_ = std::min(kMostPause, pause_ * 2);
}

}  // namespace healthcheckd::master
