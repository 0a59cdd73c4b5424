// The result of a delivery: message delivered, retried, or given up and kept with the reason. Mailer.
#include "common/text/json.h"
#include "common/text/printable.h"
#include "master/mailer/outbox.h"
#include "master/mailer/retry_wait.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

// Of a message that fails by itself; later messages then overtake it.
constexpr std::uint32_t kBlockingTries = 4;
// A message cannot be older than this: the clock was wrong then.
constexpr std::chrono::sys_days kEarliest = std::chrono::year(2020) / 1 / 1;

// Returns the text unchanged, or the JSON if it is JSON.
std::string dead_call(const SpoolMessage& message, const std::string& why) {
    const auto call = parse_ordered_json(message.text);
    const nlohmann::ordered_json dead = {
        {"channel", message.channel},
        {"reason", printable(why)},
        {"call", call.is_discarded() ? nlohmann::ordered_json(message.text) : call}};
    return json_text(dead, 1) + '\n';
}

std::string dead_text(const ChannelKind* kind, const SpoolMessage& message,
                      const std::vector<std::string>& recipients, const std::string& why) {
    return kind != nullptr && kind->dead_letter != nullptr ? kind->dead_letter(message, recipients, why)
                                                           : dead_call(message, why);
}

// Returns "a@b: 550 nobody; c@d: 551 moved" for the recipients with this outcome.
std::string answers(const DeliveryResult& result, Outcome outcome) {
    std::string all;
    for (const RecipientOutcome& each : result.exceptions)
        if (each.outcome == outcome)
            all += (all.empty() ? "" : "; ") + each.address + ": " + each.answer;
    return all;
}

void add(std::vector<std::string>& to, const std::vector<std::string>& more) {
    to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

void Outbox::report(Message& message, const DeliveryResult& result, Time now) {
    Channel& channel = channels_.at(message.channel);
    message.quiet = !note_refusal(channel, result);
    message.in_flight = false;
    ++message.tries;
    if (message.made < kEarliest || message.made > now)
        message.made = now;
    switch (result.outcome) {
    case Outcome::sent:
        return on_delivered(channel, message, result, now);
    case Outcome::rejected:
        return on_rejected(channel, message, result.message, now);
    case Outcome::deferred:
        return on_deferred(channel, message, result, now);
    }
}

void Outbox::on_delivered(Channel& channel, Message& message, const DeliveryResult& result, Time now) {
    ++counters_.sent;
    say_(Weight::info, message.channel,
         fmt::format("sent: {} ({}{})", message.subject, result.message,
                     message.tries > 1 ? fmt::format(", try {}", message.tries) : ""));
    const bool kept = give_up_refused(message, result);
    std::vector<std::string> later;
    for (const RecipientOutcome& each : result.exceptions)
        if (each.outcome == Outcome::deferred || !kept)
            later.push_back(each.address);
    const std::vector<std::string> waiting = std::exchange(message.waiting_recipients, {});
    if (later.empty() && waiting.empty())
        return drop(channel, message);
    const bool deferred = !later.empty();
    message.recipients = std::move(later);
    add(message.recipients, waiting);
    message.partially_delivered = true;
    message.blocks_channel = false;
    if (deferred)
        return try_later(
            message,
            {.message = answers(result, kept ? Outcome::deferred : Outcome::rejected),
             .retry_slowly = std::ranges::any_of(result.exceptions, &RecipientOutcome::retry_slowly),
             .refusal = result.refusal},
            now);
    message.next_try = now;
    save(message);
}

void Outbox::on_rejected(Channel& channel, Message& message, const std::string& why, Time now) {
    const bool kept = give_up(message, message.recipients, why);
    const std::vector<std::string> waiting = std::exchange(message.waiting_recipients, {});
    if (!kept) {
        add(message.recipients, waiting);
        message.blocks_channel = false;
        return try_later(message, {.message = why, .exceptions = {}}, now);
    }
    if (!waiting.empty()) {
        message.recipients = waiting;
        message.partially_delivered = true;
        message.blocks_channel = false;
        message.next_try = now;
        return save(message);
    }
    if (!message.partially_delivered) {
        // Otherwise a recovery of an unannounced failure would follow, and the lost notices
        // would never be mentioned.
        told_.forget(message.marks);
        told_.lost += message.lost;
        channel.needs_pruning = true;
        save_told();
    }
    drop(channel, message);
}

void Outbox::on_deferred(Channel& channel, Message& message, const DeliveryResult& result, Time now) {
    (void)give_up_refused(message, result);
    if (now - message.made >= kMostAge)
        return on_rejected(channel, message,
                           fmt::format("not delivered within {} days: {}", kMostAge / std::chrono::hours(24),
                                       result.message),
                           now);
    add(message.recipients, std::exchange(message.waiting_recipients, {}));
    try_later(message, result, now);
}

void Outbox::try_later(Message& message, const DeliveryResult& result, Time now) {
    message.last_error = result.message;
    if (!result.concerns_channel && message.tries >= kBlockingTries)
        message.blocks_channel = false;
    // retry_slowly starts with the wait that others reach by doubling.
    const auto wait =
        retry_wait(message.tries, result.retry_slowly ? kLongestWait : kFirstWait, kLongestWait);
    message.next_try = now + wait;
    save(message);
    if (message.quiet)
        return;
    say_(Weight::warning, message.channel,
         fmt::format("not sent yet: {} ({}); try {} in {} s{}", message.subject, result.message,
                     message.tries + 1, std::chrono::round<std::chrono::seconds>(wait).count(),
                     result.refusal.empty()
                         ? ""
                         : "; it is this host that the server refuses, and that is said only once"));
}

// Returns whether to log why a message is deferred. A server that rejects us does so until somebody changes
// something: logged once, and again for another reason.
bool Outbox::note_refusal(Channel& channel, const DeliveryResult& result) {
    const bool fresh = result.refusal.empty() || channel.refusal != result.refusal;
    if (result.refusal.empty() && result.outcome == Outcome::sent) {
        channel.refusal.clear();
        channel.refused_because.clear();
    } else if (!result.refusal.empty() && fresh) {
        channel.refusal = result.refusal;
        channel.refused_because =
            result.outcome == Outcome::sent ? answers(result, Outcome::deferred) : result.message;
    }
    return fresh;
}

// Gives up recipients that were rejected permanently. Returns false when they could not be
// saved; they are then retried.
bool Outbox::give_up_refused(Message& message, const DeliveryResult& result) {
    std::vector<std::string> refused;
    for (const RecipientOutcome& each : result.exceptions)
        if (each.outcome == Outcome::rejected && std::ranges::count(message.recipients, each.address) > 0)
            refused.push_back(each.address);
    if (refused.empty())
        return true;
    if (!give_up(message, refused, answers(result, Outcome::rejected)))
        return false;
    for (const std::string& each : refused)
        std::erase(message.recipients, each);
    return true;
}

// Returns false when the message could not be saved in `dead` and so must not be removed.
bool Outbox::give_up(const SpoolMessage& message, const std::vector<std::string>& recipients,
                     const std::string& why) {
    std::string name = message.name.substr(0, message.name.size() - kMessageFile.size());
    const ChannelKind* kind = kind_of_channel(message.channel);
    name += fmt::format(".{}{}", message.tries, kind != nullptr ? kind->dead_suffix : ".json");
    const auto kept = spool_.bury(name, dead_text(kind, message, recipients, why));
    if (!kept) {
        say_(Weight::error, message.channel,
             fmt::format("{} ({}) stays, as it could not be kept: {}", message.subject, why,
                         kept.error().text()));
        return false;
    }
    ++counters_.failed;
    std::string to;
    for (const std::string& each : recipients)
        to += (to.empty() ? " to " : ", ") + each;
    say_(
        Weight::error, message.channel,
        fmt::format("given up: {}{}: {} (kept as {}/{})", message.subject, to, why, spool_.dead_dir(), name));
    return true;
}

void Outbox::drop(Channel& channel, Message& message) {
    // The notices of a message that was never saved would be announced again.
    add(to_remove_, message.notices);
    const std::string name = message.name;
    channel.messages.remove_if([&](const Message& each) { return &each == &message; });
    if (!to_remove_.empty())
        save_told();
    if (const auto removed = spool_.remove(name); !removed)
        say_(Weight::error, "spool", removed.error().text() + "; it may be sent once more");
}

}  // namespace healthcheckd::master
