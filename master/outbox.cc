#include "master/outbox.h"

#include "common/line_codec.h"
#include "master/mail.h"
#include "master/retry_wait.h"
#include "master/webhook_message.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMostNotices = 500;   // in one message
constexpr std::uint32_t kHoldingTries = 4;  // of a message that fails by itself: then the next ones go first
constexpr std::string_view kMail = "mail";

std::string dead_text(const SpoolMessage& message, const std::vector<std::string>& recipients,
                      const std::string& why) {
    if (message.channel != kMail) {
        const nlohmann::ordered_json dead = {
            {"channel", message.channel},
            {"reason", printable(why)},
            {"call", nlohmann::ordered_json::parse(message.text, nullptr, false)}};
        return dead.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
    }
    std::string head = "X-Healthcheckd-Reason: " + printable(why) + "\r\n";
    for (const std::string& each : recipients)
        head += "X-Healthcheckd-Recipient: " + printable(each) + "\r\n";
    return head + message.text;
}

}  // namespace

bool Outbox::Channel::in_flight() const {
    return std::ranges::any_of(messages, &Message::in_flight);
}

bool Outbox::Channel::held_up() const {
    return std::ranges::any_of(messages, &Message::holds_up);
}

Outbox::Outbox(const Config& config, const Spool& spool, std::string life, SayFunction say)
    : config_(config), spool_(spool), life_(std::move(life)), say_(std::move(say)), told_(config.notices) {
    if (config.mail)
        channels_[std::string(kMail)];
    for (const WebhookConfig& each : config.webhooks)
        channels_["webhook:" + each.name];
}

const WebhookConfig* Outbox::webhook(const std::string& channel) const {
    for (const WebhookConfig& each : config_.webhooks)
        if (channel == "webhook:" + each.name)
            return &each;
    return nullptr;
}

void Outbox::note_lost(std::uint64_t count) {
    told_.lost += count;
    keep_told();
}

std::vector<Outbox::Message*> Outbox::due(Time now) {
    std::vector<Message*> ready;
    for (auto& [name, channel] : channels_) {
        absorb(channel);
        if (channel.in_flight())
            continue;
        if (!channel.held_up() && !channel.notices.empty() && told_.next_message_at(name, now) <= now)
            compose(name, channel, now);
        const auto next = std::ranges::find_if(channel.messages, [&](const Message& each) {
            return each.next_try <= now || each.next_try > now + 2 * kLongestWait;  // the clock was set back
        });
        if (next == channel.messages.end())
            continue;
        next->in_flight = true;
        ready.push_back(&*next);
    }
    return ready;
}

// Takes notices off the front that change what is known but need not be told.
void Outbox::absorb(Channel& channel) {
    std::vector<std::string> files;
    for (const Waiting& each : channel.notices) {
        if (told_.is_news(each.notice))
            break;
        Told::Marks marks;
        (void)told_.take(each.notice, marks);
        files.push_back(each.file);
    }
    if (files.empty())
        return;
    keep_told();
    channel.notices.erase(channel.notices.begin(),
                          channel.notices.begin() + static_cast<std::ptrdiff_t>(files.size()));
    forget_notices(files);
}

void Outbox::compose(const std::string& name, Channel& channel, Time now) {
    Message message;
    message.channel = name;
    message.made = now;
    std::vector<Telling> tellings;
    for (const Waiting& each : channel.notices) {
        if (tellings.size() >= kMostNotices)
            break;
        if (auto telling = told_.take(each.notice, message.marks))
            tellings.push_back(std::move(*telling));
        message.notices.push_back(each.file);
    }
    const auto since_epoch = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch());
    message.name = fmt::format("{:020}.{}{}", since_epoch.count(), printable(name), kMessageFile);
    std::ranges::replace(message.name, ':', '.');
    write_text(message, tellings);
    told_.lost = 0;
    told_.note_message(name, now);
    channel.notices.erase(channel.notices.begin(),
                          channel.notices.begin() + static_cast<std::ptrdiff_t>(message.notices.size()));
    message.next_try = now;
    message.on_disk = false;
    channel.messages.push_back(std::move(message));
    settle(channel.messages.back());
}

// Puts the message into the spool, then what was told, and only then are its notices removed. On a disk that
// is full it waits in memory, and a next life would go on from its notices.
void Outbox::settle(Message& message) {
    const auto written = spool_.write(message.name, encode_message(message));
    if (!written)
        return say_(Weight::error, "spool", written.error().text());
    if (std::exchange(message.on_disk, true))
        return;
    keep_told();
    forget_notices(message.notices);
    message.notices.clear();
    message.marks.clear();
}

void Outbox::write_text(SpoolMessage& message, const std::vector<Telling>& tellings) const {
    if (const WebhookConfig* hook = webhook(message.channel)) {
        message.subject = subject_of(tellings);
        message.text = compose_call(hook->format, tellings, told_.lost);
    } else {
        MailMessage mail = compose_mail(*config_.mail, tellings, told_.lost);
        message.subject = std::move(mail.subject);
        message.text = std::move(mail.text);
        message.sender = std::move(mail.sender);
        message.recipients = std::move(mail.recipients);
    }
}

// What was told by a message that is on no disk must not be there either.
void Outbox::keep_told() {
    for (const auto& [name, channel] : channels_)
        if (!std::ranges::all_of(channel.messages, &Message::on_disk))
            return;
    const auto written = spool_.write(kToldFile, told_.encode());
    if (!written && !disk_failed_)
        say_(Weight::error, "spool", written.error().text());
    disk_failed_ = !written;
}

void Outbox::forget_notices(const std::vector<std::string>& files) {
    for (const std::string& file : files) {
        seen_.erase(file);
        if (const auto removed = spool_.remove_notice(file); !removed)
            say_(Weight::error, "spool", removed.error().text());
    }
}

void Outbox::report(Message& message, const DeliveryResult& result, Time now) {
    Channel& channel = channels_.at(message.channel);
    message.in_flight = false;
    ++message.tries;
    switch (result.fate) {
    case Fate::delivered:
        return on_delivered(channel, message, result, now);
    case Fate::refused:
        give_up(message, message.recipients, result.message);
        return drop(channel, message);
    case Fate::put_off:
        break;
    }
    std::vector<std::string> refused;
    std::string why;
    for (const RecipientFate& each : result.exceptions)
        if (each.fate == Fate::refused && std::erase(message.recipients, each.address) > 0) {
            refused.push_back(each.address);
            why += (why.empty() ? "" : "; ") + each.address + ": " + each.answer;
        }
    if (!refused.empty())
        give_up(message, refused, why);
    if (now - message.made >= kMostAge) {
        give_up(message, message.recipients,
                fmt::format("not delivered within {} days: {}", kMostAge / std::chrono::hours(24),
                            result.message));
        return drop(channel, message);
    }
    on_put_off(message, result, now);
}

void Outbox::on_delivered(Channel& channel, Message& message, const DeliveryResult& result, Time now) {
    ++counters_.sent;
    say_(Weight::info, message.channel,
         fmt::format("sent: {} ({}{})", message.subject, result.message,
                     message.tries > 1 ? fmt::format(", try {}", message.tries) : ""));
    std::vector<std::string> refused, later;
    std::string why_refused, why_later;
    for (const RecipientFate& each : result.exceptions) {
        const bool for_good = each.fate == Fate::refused;
        (for_good ? refused : later).push_back(each.address);
        std::string& why = for_good ? why_refused : why_later;
        why += (why.empty() ? "" : "; ") + each.address + ": " + each.answer;
    }
    if (!refused.empty())
        give_up(message, refused, why_refused);
    if (later.empty())
        return drop(channel, message);
    message.recipients = std::move(later);
    message.holds_up = false;  // the others know
    on_put_off(message, {.fate = Fate::put_off, .message = why_later, .exceptions = {}}, now);
}

void Outbox::on_put_off(Message& message, const DeliveryResult& result, Time now) {
    message.last_error = result.message;
    if (!result.about_server && message.tries >= kHoldingTries)
        message.holds_up = false;
    // One that wants rest gets what others get after their last doubling.
    const auto wait = retry_wait(message.tries, result.wants_rest ? kLongestWait : kFirstWait, kLongestWait);
    message.next_try = now + wait;
    settle(message);
    say_(Weight::warning, message.channel,
         fmt::format("not sent yet: {} ({}); try {} in {} s", message.subject, result.message,
                     message.tries + 1, std::chrono::round<std::chrono::seconds>(wait).count()));
}

void Outbox::give_up(const SpoolMessage& message, const std::vector<std::string>& recipients,
                     const std::string& why) {
    ++counters_.failed;
    std::string name = message.name.substr(0, message.name.size() - kMessageFile.size());
    name += fmt::format(".{}{}", message.tries, message.channel == kMail ? ".eml" : ".json");
    const auto kept = spool_.bury(name, dead_text(message, recipients, why));
    std::string to;
    for (const std::string& each : recipients)
        to += (to.empty() ? " to " : ", ") + each;
    say_(Weight::error, message.channel,
         fmt::format("given up: {}{}: {} ({})", message.subject, to, why,
                     kept ? "kept as " + spool_.dead_dir() + '/' + name : kept.error().text()));
}

void Outbox::drop(Channel& channel, Message& message) {
    if (const auto removed = spool_.remove(message.name); !removed)
        say_(Weight::error, "spool", removed.error().text() + "; it may be sent once more");
    const std::vector<std::string> notices = message.on_disk ? std::vector<std::string>{} : message.notices;
    channel.messages.remove_if([&](const Message& each) { return &each == &message; });
    if (notices.empty())
        return;
    keep_told();
    forget_notices(notices);
}

Outbox::Time Outbox::next_wake(Time now) const {
    Time wake = now + std::chrono::hours(1);
    for (const auto& [name, channel] : channels_) {
        if (channel.in_flight())
            continue;
        for (const Message& each : channel.messages)
            wake = std::min(wake, each.next_try);
        if (!channel.held_up() && !channel.notices.empty())
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
    return counters;
}

}  // namespace healthcheckd::master
