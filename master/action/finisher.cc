#include "master/action/finisher.h"

#include "common/log/log.h"
#include "common/wire/channel.h"
#include "common/wire/protocol_task.h"
#include "master/action/action_child.h"

#include <algorithm>
#include <variant>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMostSaid = 1'000;  // sentences that are not logged again

}  // namespace

RestartFinisher::RestartFinisher(Dependencies needs)
    : deps_(std::move(needs)), timer_(deps_.loop, [this] { begin(); }), task_(deps_.loop, deps_.spawner) {}

void RestartFinisher::look(Milliseconds delay) {
    if (stopped_)
        return;
    pause_ = kFirstPause;
    wanted_ = task_.running();  // the present child may have passed the new record already
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
    auto peer = task_.left_behind() == 0 ? deps_.open_peer() : Error{"the last one hangs"};
    if (!peer)
        return again();
    ChildSpec spec(children::kRestarts);
    std::set<std::string> at_work = deps_.busy();
    skipped_ = !at_work.empty();
    spec.extra_fds = {peer->get()};
    const int places = deps_.disk_places();
    if (places >= 0)
        spec.extra_fds.push_back(places);
    spec.main = [dir = deps_.state_dir, busy = std::move(at_work), places](pid_t) {
        return run_finish(dir, busy, kFirstExtraFd, places >= 0 ? kFirstExtraFd + 1 : -1);
    };
    finished_ = wanted_ = false;
    const auto started = task_.start(spec, {.limit = kLimit, .lines_per_second = 5000},
                                     {.on_line = [this](std::string_view text) { return on_line(text); },
                                      .on_end =
                                          [this](const auto&) {
                                              on_end();
                                          }});
    if (!started)
        again();
}

bool RestartFinisher::on_line(std::string_view text) {
    ActionLine line;
    if (!decode(text, line))
        return false;
    if (const auto* sentence = std::get_if<Output>(&line)) {
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
    return true;
}

// Handles the name of the program that the child is about to touch; "": it is done with the last one. Grants
// it unless an action of that program has begun since the child was started.
void RestartFinisher::on_claim(const std::string& program) {
    claimed_.clear();
    if (program.empty())
        return;
    const bool taken = deps_.busy().contains(program);
    skipped_ = skipped_ || taken;
    if (!taken)
        claimed_ = program;
    const ClaimAnswer answer = taken ? ClaimAnswer(Denied{}) : ClaimAnswer(Granted{});
    (void)std::visit([this](const auto& m) { return send_packet(task_.control(), encode(m).line()); },
                     answer);
}

void RestartFinisher::on_end() {
    claimed_.clear();
    if (!finished_ || wanted_)
        again();
    else
        skipped_ = false, said_.clear();  // no action under way has left anything
}

void RestartFinisher::again() {
    if (stopped_)
        return;
    timer_.start(pause_);
    pause_ = std::min(kMostPause, pause_ * 2);
}

}  // namespace healthcheckd::master
