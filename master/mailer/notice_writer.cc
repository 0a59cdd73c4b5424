#include "master/mailer/notice_writer.h"

#include "common/log/log.h"
#include "common/wire/protocol_task.h"
#include "master/notice/notice_child.h"

#include <algorithm>

namespace healthcheckd::master {

NoticeWriter::NoticeWriter(Loop& loop, Spawner& spawner, Mailer& mailer,
                           std::function<Result<UniqueFd>()> open_peer)
    : mailer_(mailer), open_peer_(std::move(open_peer)), retry_(loop, [this] { begin(); }),
      task_(loop, spawner, [this] { begin(); }) {}

void NoticeWriter::add(const Incident& incident) {
    if (waiting_.add(incident))
        return begin();
    for (std::size_t i = 0; i < incident.request.channels.size(); ++i)
        record_lost_notice(mailer_, incident, i, "too many others wait to be spooled");
}

void NoticeWriter::begin() {
    if (task_.running() || waiting_.empty() || task_.left_behind() >= kMostLeft)
        return;
    writing_ = waiting_.take();
    written_ = channel_ = 0;
    notices_ = 0;
    ChildSpec spec(children::kNotices);
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
    late_ = false;
    const auto started =
        task_.start(spec, {.limit = kLimit, .end_limit = kEndLimit, .lines_per_second = 20'000},
                    {.on_line = [this](std::string_view text) { return on_line(text); },
                     .on_late = [this] { return on_late(); },
                     .on_end =
                         [this](const std::optional<ChildEnd>& end) {
                             on_end(end);
                         }});
    if (!started) {
        log::warning("notices", "wait, no process could be started: {}", started.error().text());
        take_back();
        retry_.start(kRetry);
    }
}

bool NoticeWriter::on_line(std::string_view text) {
    ActionLine line;
    const bool known = decode(text, line);
    if (const auto* broken = known ? std::get_if<Broken>(&line) : nullptr)
        log::error("notices", "the process that writes them ended: {}", broken->message);
    const Spooled* spooled = known ? std::get_if<Spooled>(&line) : nullptr;
    if (spooled == nullptr || spooled->index != notices_++ || written_ >= writing_.size())
        return false;
    const Incident& incident = writing_[written_];
    task_.extend(kLimit);
    if (std::exchange(hang_said_, false))
        log::info("notices", "are written again");
    if (spooled->ok)
        mailer_.look();
    else
        record_lost_notice(mailer_, incident, channel_, spooled->message);
    if (++channel_ >= incident.request.channels.size()) {
        channel_ = 0;
        ++written_;
    }
    return true;
}

bool NoticeWriter::on_late() {
    late_ = true;
    if (!std::exchange(hang_said_, true))
        log::warning("notices", "wait: the disk of stateDir does not answer");
    return true;
}

void NoticeWriter::take_back() {
    if (written_ < writing_.size()) {
        auto& channels = writing_[written_].request.channels;
        channels.erase(channels.begin(), channels.begin() + static_cast<std::ptrdiff_t>(channel_));
        waiting_.put_back(std::exchange(writing_, {}), written_);
    }
    writing_.clear();
}

void NoticeWriter::on_end(const std::optional<ChildEnd>& end) {
    // The incident at which the child ended may be the cause, so it is not tried again; those after it are.
    if (end && !late_ && written_ < writing_.size()) {
        for (; channel_ < writing_[written_].request.channels.size(); ++channel_)
            record_lost_notice(mailer_, writing_[written_], channel_,
                               "the process that writes it ended: " + end->text());
        channel_ = 0;
        ++written_;
    }
    take_back();
    begin();
}

void record_lost_notice(Mailer& mailer, const Incident& incident, std::size_t channel,
                        const std::string& why) {
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
           waiting_.has(cat);
}

void NoticeWriter::log_unwritten() const {
    const auto log_each = [](const Incident& incident) {
        log::error(incident.request.cat_name + ' ' + incident.request.program,
                   "the notice of it was not spooled: healthcheckd stops");
    };
    std::for_each(writing_.begin() + static_cast<std::ptrdiff_t>(std::min(written_, writing_.size())),
                  writing_.end(), log_each);
    std::ranges::for_each(waiting_.all(), log_each);
}

}  // namespace healthcheckd::master
