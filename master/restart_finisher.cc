#include "master/restart_finisher.h"

#include "common/log.h"
#include "common/protocol.h"
#include "master/action_process.h"

#include <algorithm>

namespace healthcheckd::master {

RestartFinisher::RestartFinisher(Loop& loop, Spawner& spawner, std::string state_dir,
                                 std::function<Result<UniqueFd>()> open_peer)
    : loop_(loop), spawner_(spawner), state_dir_(std::move(state_dir)), open_peer_(std::move(open_peer)),
      timer_(loop, [this] { begin(); }), deadline_(loop, [this] { spawner_.kill(pid_); }) {}

RestartFinisher::~RestartFinisher() {
    if (pid_ != 0) {
        spawner_.forget(pid_);
        spawner_.kill(pid_);
    }
}

void RestartFinisher::look(Milliseconds delay) {
    if (stopped_ || pid_ != 0)
        return;  // the child that runs says whether it is worth coming back
    pause_ = kFirstPause;
    timer_.start(delay);
}

void RestartFinisher::stop() {
    stopped_ = true;
    timer_.stop();
}

void RestartFinisher::begin() {
    auto peer = open_peer_();
    if (!peer)
        return again();
    ChildSpec spec;
    spec.title = "healthcheckd: unfinished restarts";
    spec.main = [dir = state_dir_](pid_t) {
        return run_finish(dir, kFirstExtraFd);
    };
    spec.extra_fds = {peer->get()};
    finished_ = false;
    auto child = spawner_.spawn(spec, [this](const ChildEnd&) { on_end(); });
    if (!child)
        return again();
    pid_ = child->pid;
    control_ = std::move(child->control);
    reader_ = std::make_unique<ReportReader>(
        loop_, std::move(child->report), ReportReader::Limits{.lines_per_second = 5000},
        [this](std::string_view text) { on_line(text); }, [this](std::string_view) { spawner_.kill(pid_); });
    deadline_.start(kLimit);
}

void RestartFinisher::on_line(std::string_view text) {
    ActionLine line;
    if (!decode(text, line)) {
        spawner_.kill(pid_);
    } else if (const auto* sentence = std::get_if<Output>(&line)) {
        if (sentence->text != last_said_)
            log::warning("restarts", "{}", sentence->text);
        last_said_ = sentence->text;
    } else if (const auto* done = std::get_if<Done>(&line)) {
        finished_ = done->ok;
    }
}

void RestartFinisher::on_end() {
    reader_->drain();
    reader_.reset();
    control_.reset();
    deadline_.stop();
    pid_ = 0;
    if (!finished_)
        again();
}

void RestartFinisher::again() {
    if (stopped_)
        return;
    timer_.start(pause_);
    pause_ = std::min(kMostPause, pause_ * 2);
}

}  // namespace healthcheckd::master
