#include "master/mailer/outbox.h"

#include "common/text/printable.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMostNotices = 500;  // in one message

}  // namespace

Outbox::Outbox(const Config& config, const Spool& spool, std::string run_id, SayFunction say)
    : config_(config), spool_(spool), run_id_(std::move(run_id)), say_(std::move(say)),
      told_(config.notices) {
    for (const ChannelConfig& each : config.channels)
        channels_[each.label()];
}

void Outbox::note_lost(std::uint64_t count) {
    told_.lost += count;
    save_told();
}

std::vector<Outbox::Message*> Outbox::due(Time now) {
    std::vector<Message*> ready;
    for (auto& [name, channel] : channels_) {
        if (channel.needs_pruning)
            sift(channel);
        if (channel.in_flight())
            continue;
        if (channel.has_notice_to_tell() && told_.next_message_at(name, now) <= now)
            compose(name, channel, now);
        // clang 14 cannot capture a structured binding in a lambda, except in an init-capture.
        const auto next =
            std::ranges::find_if(channel.messages, [now, &channel = channel](const Message& each) {
                return (each.next_try <= now || each.next_try > now + 2 * kLongestWait) &&  // set back
                       channel.may_send(each);
            });
        if (next == channel.messages.end())
            continue;
        next->in_flight = true;
        next->waiting_recipients = channel.recipients_ahead(*next);
        for (const std::string& each : next->waiting_recipients)
            std::erase(next->recipients, each);
        ready.push_back(&*next);
    }
    return ready;
}

// Drops waiting notices that need not be announced: a check that goes on failing must not fill the spool
// while a channel is unavailable.
void Outbox::sift(Channel& channel) {
    Told then = told_;                             // the state once all notices before have been announced
    std::map<std::string, std::string> last;       // file of the last notice that is kept, by cat
    std::map<std::string, std::string> last_like;  // ...and kind
    std::vector<Waiting> kept;
    for (Waiting& each : channel.notices) {
        const Notice& notice = each.notice;
        const std::string like = notice.cat + '\n' + std::string(to_string(notice.kind));
        const bool news = then.is_news(notice);
        Told::Marks changed, unused;
        (void)then.take(notice, changed);
        // A recovery that ends a failure whose notice still waits stays behind it, even if it is not
        // announced.
        const bool ends =
            notice.kind == NoticeKind::recovered && !changed.empty() && last.contains(notice.cat);
        if (news || ends) {
            last[notice.cat] = last_like[like] = each.file;
            kept.push_back(std::move(each));
            continue;
        }
        const bool recovered = notice.kind == NoticeKind::recovered;
        if (!recovered && last_like.contains(like))
            ++told_.unsaid[last_like[like]];
        // A second recovery must not end the failure, on which the one that waits depends.
        else if (!recovered || !last.contains(notice.cat))
            (void)told_.take(notice, unused);
        to_remove_.push_back(each.file);
    }
    channel.needs_pruning = false;
    const bool dropped = kept.size() < channel.notices.size();
    channel.notices = std::move(kept);
    if (dropped)
        save_told();
}

void Outbox::compose(const std::string& name, Channel& channel, Time now) {
    Message message;
    message.channel = name;
    message.made = message.next_try = now;
    const std::vector<Telling> tellings = take_notices(channel, message);
    if (tellings.empty()) {
        to_remove_.insert(to_remove_.end(), message.notices.begin(), message.notices.end());
        return save_told();
    }
    message.name = next_name(name, now);
    message.lost = std::exchange(told_.lost, 0);
    const ChannelConfig& to = *config_.channel(name);
    to.kind->compose(to, tellings, message);
    told_.note_message(name, now);
    message.saved = false;
    channel.messages.push_back(std::move(message));
    save(channel.messages.back());
}

// Takes the notices for one message, in order, up to its limits.
std::vector<Telling> Outbox::take_notices(Channel& channel, Message& message) {
    const std::set<std::string> unsettled = channel.cats_in_flight();
    const ChannelConfig& to = *config_.channel(message.channel);
    const std::size_t most_bytes =
        to.kind->most_notice_bytes != nullptr ? to.kind->most_notice_bytes(to) : SIZE_MAX;
    std::vector<Telling> tellings;
    std::vector<Waiting> left;
    std::size_t bytes = 0;
    bool full = false;
    for (Waiting& each : channel.notices) {
        full =
            full || tellings.size() >= kMostNotices || (!tellings.empty() && bytes + each.bytes > most_bytes);
        if (full || unsettled.contains(each.notice.cat)) {
            left.push_back(std::move(each));
            continue;
        }
        const auto unsaid = told_.unsaid.extract(each.file);
        if (auto telling = told_.take(each.notice, message.marks, unsaid ? unsaid.mapped() : 0)) {
            tellings.push_back(std::move(*telling));
            bytes += each.bytes;
        }
        message.notices.push_back(each.file);
    }
    channel.notices = std::move(left);
    channel.needs_pruning = !channel.notices.empty();
    return tellings;
}

// Returns a name that sorts after all earlier ones, even if the clock was set back.
std::string Outbox::next_name(const std::string& channel, Time now) {
    last_name_ =
        std::max<std::chrono::nanoseconds>(now.time_since_epoch(), last_name_ + std::chrono::nanoseconds(1));
    return fmt::format("{:020}.{}{}", last_name_.count(), channel_label(printable(channel)), kMessageFile);
}

// Saves the message, then told.json, and only then removes the message's notices. When the disk is full the
// message stays in memory, and a next run would continue from its notices.
void Outbox::save(Message& message) {
    const auto written = spool_.write(message.name, encode_message(message));
    if (!written)
        return say_(Weight::error, "spool", written.error().text());
    if (std::exchange(message.saved, true))
        return;
    to_remove_.insert(to_remove_.end(), message.notices.begin(), message.notices.end());
    save_told();
    message.notices.clear();
}

// Leaves out what unsaved messages announce. Until told.json is saved, no notice whose effect
// would be lost is removed.
void Outbox::save_told() {
    for (const auto& [name, channel] : channels_)
        if (!std::ranges::all_of(channel.messages, &Message::saved))
            return;
    const auto written = spool_.write(kToldFile, told_.encode());
    if (!written && !disk_failed_)
        say_(Weight::error, "spool", written.error().text());
    disk_failed_ = !written;
    if (!written)
        return;
    for (const std::string& file : std::exchange(to_remove_, {})) {
        seen_.erase(file);
        if (const auto removed = spool_.remove_notice(file); !removed)
            say_(Weight::error, "spool", removed.error().text());
    }
}

Outbox::Time Outbox::next_wake(Time now) const {
    Time wake = now + std::chrono::hours(1);
    for (const auto& [name, channel] : channels_) {
        if (channel.in_flight())
            continue;
        for (const Message& each : channel.messages)
            if (channel.may_send(each))
                wake = std::min(wake, each.next_try);
        if (channel.has_notice_to_tell())
            wake = std::min(wake, told_.next_message_at(name, now));
    }
    return wake;
}

std::set<std::string> Outbox::failed_cats() const {
    Told then = told_;
    for (const auto& [name, channel] : channels_)
        for (const Waiting& each : channel.notices) {
            Told::Marks marks;
            (void)then.take(each.notice, marks);
        }
    return then.failed_cats();
}

Outbox::Counters Outbox::counters() const {
    Counters counters = counters_;
    for (const auto& [name, channel] : channels_)
        counters.waiting += channel.notices.size() + channel.messages.size();
    for (const auto& [name, channel] : channels_)
        if (counters.trouble.empty() && !channel.refused_because.empty())
            counters.trouble = name + ": " + channel.refused_because;
    return counters;
}

}  // namespace healthcheckd::master
