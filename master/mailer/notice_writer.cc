#include "master/mailer/notice_writer.h"

#include "common/log/log.h"
#include "common/wire/protocol.h"
#include "master/notice/notice_child.h"

#include <algorithm>

namespace healthcheckd::master {

NoticeWriter::NoticeWriter(Loop& loop, Spawner& spawner, Mailer& mailer,
                           std::function<Result<UniqueFd>()> open_peer)
    : loop_(loop), spawner_(spawner), mailer_(mailer), open_peer_(std::move(open_peer)),
      retry_(loop, [this] { begin(); }), deadline_(loop, [this] { on_late(); }) {}

NoticeWriter::~NoticeWriter() {
    for (const pid_t left : left_)
        spawner_.forget(left);
    if (pid_ != 0) {
        spawner_.forget(pid_);
        spawner_.kill(pid_);
    }
}

void NoticeWriter::add(Incident incident) {
    if (waiting_.size() < kMostWaiting) {
        waiting_.push_back(std::move(incident));
        return begin();
    }
    for (std::size_t i = 0; i < incident.request.channels.size(); ++i)
        lose_one(mailer_, incident, i, "too many others wait to be spooled");
}

void NoticeWriter::begin() {
    if (pid_ != 0 || waiting_.empty() || left_.size() >= kMostLeft)
        return;
    const std::size_t count = std::min(waiting_.size(), kBatch);
    writing_.assign(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    ChildSpec spec;
    spec.title = "healthcheckd: notices";
    UniqueFd peer;
    const bool asks = std::ranges::any_of(writing_, [](const Incident& each) {
        return each.kind == NoticeKind::failed && each.action == nullptr && each.request.of_supervisord;
    });
    if (asks)
        if (auto opened = open_peer_()) {
            peer = std::move(*opened);
            spec.extra_fds = {peer.get()};
        }
    spec.main = [this, link = peer ? kFirstExtraFd : -1](pid_t) {
        return run_notices(writing_, link);
    };
    auto child = spawner_.spawn(spec, [this](const ChildEnd& end) { on_end(end); });
    if (!child) {
        log::warning("notices", "wait, no process could be started: {}", child.error().text());
        writing_.clear();
        retry_.start(kRetry);
        return;
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    written_ = channel_ = 0;
    notices_ = 0;
    late_ = false;
    pid_ = child->pid;
    control_ = std::move(child->control);
    reader_ = std::make_unique<ReportReader>(
        spawner_.reports(), std::move(child->report), ReportReader::Limits{.lines_per_second = 20'000},
        [this](std::string_view text) { on_line(text); }, [this](std::string_view) { spawner_.kill(pid_); });
    deadline_.start(kLimit);
}

void NoticeWriter::on_line(std::string_view text) {
    ActionLine line;
    const bool known = decode(text, line);
    if (const auto* broken = known ? std::get_if<Broken>(&line) : nullptr)
        log::error("notices", "the process that writes them ended: {}", broken->message);
    const Spooled* spooled = known ? std::get_if<Spooled>(&line) : nullptr;
    if (spooled == nullptr || spooled->index != notices_++ || written_ >= writing_.size()) {
        spawner_.kill(pid_);
        return;
    }
    const Incident& incident = writing_[written_];
    if (!late_)
        deadline_.start(kLimit);
    if (std::exchange(hang_said_, false))
        log::info("notices", "are written again");
    if (spooled->ok)
        mailer_.look();
    else
        lose_one(mailer_, incident, channel_, spooled->message);
    if (++channel_ >= incident.request.channels.size()) {
        channel_ = 0;
        ++written_;
    }
}

void NoticeWriter::on_late() {
    if (std::exchange(late_, true))
        return leave();
    if (!std::exchange(hang_said_, true))
        log::warning("notices", "wait: the disk of stateDir does not answer");
    spawner_.kill(pid_);
    deadline_.start(kEndLimit);
}

void NoticeWriter::leave() {
    left_.insert(pid_);
    part();
    take_back();
    begin();
}

void NoticeWriter::part() {
    reader_->drain();
    reader_.reset();
    control_.reset();
    deadline_.stop();
    pid_ = 0;
}

void NoticeWriter::take_back() {
    if (written_ < writing_.size()) {
        auto& channels = writing_[written_].request.channels;
        channels.erase(channels.begin(), channels.begin() + static_cast<std::ptrdiff_t>(channel_));
        waiting_.insert(waiting_.begin(), writing_.begin() + static_cast<std::ptrdiff_t>(written_),
                        writing_.end());
    }
    writing_.clear();
}

void NoticeWriter::on_end(const ChildEnd& end) {
    if (left_.erase(end.pid) == 0) {
        part();
        // The one that it ended at, maybe because of it, is not tried again; those behind it are.
        if (!late_ && written_ < writing_.size()) {
            for (; channel_ < writing_[written_].request.channels.size(); ++channel_)
                lose_one(mailer_, writing_[written_], channel_,
                         "the process that writes it ended: " + end.text());
            channel_ = 0;
            ++written_;
        }
        take_back();
    }
    begin();
}

void lose_one(Mailer& mailer, const Incident& incident, std::size_t channel, const std::string& why) {
    const auto& channels = incident.request.channels;
    const std::string who = incident.request.cat_name + ' ' + incident.request.program;
    if (channels.size() == 1)
        log::error(who, "the notice of it is lost, nobody will be told: {}", why);
    else
        log::error(who, "the notice of it for {} is lost: {}", channels.at(channel), why);
    mailer.note_lost(1);
}

bool NoticeWriter::has(const std::string& cat) const {
    const auto is_of = [&](const Incident& each) {
        return each.request.cat_name == cat;
    };
    return std::any_of(writing_.begin() + static_cast<std::ptrdiff_t>(std::min(written_, writing_.size())),
                       writing_.end(), is_of) ||
           std::ranges::any_of(waiting_, is_of);
}

void NoticeWriter::log_unwritten() const {
    const auto log_each = [](const Incident& incident) {
        log::error(incident.request.cat_name + ' ' + incident.request.program,
                   "the notice of it was not spooled: healthcheckd stops");
    };
    std::for_each(writing_.begin() + static_cast<std::ptrdiff_t>(std::min(written_, writing_.size())),
                  writing_.end(), log_each);
    std::ranges::for_each(waiting_, log_each);
}

}  // namespace healthcheckd::master
