#include "master/mailer/channel_queue.h"

#include <algorithm>

namespace healthcheckd::master {

bool ChannelQueue::in_flight() const {
    return std::ranges::any_of(messages, &QueuedMessage::in_flight);
}

bool ChannelQueue::is_blocked() const {
    return std::ranges::any_of(messages, &QueuedMessage::blocks_channel);
}

std::set<std::string> ChannelQueue::cats_in_flight() const {
    std::set<std::string> cats;
    for (const QueuedMessage& each : messages)
        if (!each.partially_delivered)
            cats.merge(Told::cats_of(each.marks));
    return cats;
}

bool ChannelQueue::has_notice_to_tell() const {
    if (is_blocked() || notices.empty())
        return false;
    const std::set<std::string> unsettled = cats_in_flight();
    return std::ranges::any_of(
        notices, [&](const WaitingNotice& each) { return !unsettled.contains(each.notice.cat); });
}

std::vector<std::string> ChannelQueue::recipients_ahead(const QueuedMessage& message) const {
    std::vector<std::string> ahead;
    for (const QueuedMessage& before : messages) {
        if (&before == &message)
            break;
        if (!before.partially_delivered)
            continue;
        for (const std::string& each : before.recipients)
            if (std::ranges::count(message.recipients, each) > 0 && std::ranges::count(ahead, each) == 0)
                ahead.push_back(each);
    }
    return ahead;
}

bool ChannelQueue::may_send(const QueuedMessage& message) const {
    return message.recipients.empty() || recipients_ahead(message).size() < message.recipients.size();
}

}  // namespace healthcheckd::master
