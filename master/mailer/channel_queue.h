// What waits for one channel: notices that no message has yet, and messages, in their order. Mailer.
#pragma once

#include "master/mailer/spool_message.h"
#include "master/notice/notice.h"

#include <chrono>
#include <cstdint>
#include <list>
#include <set>
#include <string>
#include <vector>

namespace healthcheckd::master {

struct QueuedMessage : SpoolMessage {
    std::chrono::system_clock::time_point next_try{};
    bool in_flight = false;
    bool blocks_channel = true;  // nothing after it is told before it
    bool quiet = false;          // the log already has why it is deferred
    bool saved = true;           // false: the disk was full; its notices are still in the spool
    std::vector<std::string> waiting_recipients =
        {};  // in flight: recipients that an earlier message must reach first
};

// A notice of the spool that is in no message.
struct WaitingNotice {
    std::string file;
    std::size_t bytes = 0;
    Notice notice;
};

struct ChannelQueue {
    std::vector<WaitingNotice> notices;
    std::list<QueuedMessage> messages;
    bool needs_pruning = false;  // there may be notices that change nothing
    std::string refusal;  // DeliveryResult::refusal, said already; empty: the server takes what we send
    std::string refused_because;
    bool in_flight() const;
    bool is_blocked() const;
    // Cats whose notices wait, as an earlier one is in a message that nobody has got.
    std::set<std::string> cats_in_flight() const;
    bool has_notice_to_tell() const;
    // Recipients of `message` to whom an earlier one has to go first.
    std::vector<std::string> recipients_ahead(const QueuedMessage& message) const;
    bool may_send(const QueuedMessage& message) const;
};

}  // namespace healthcheckd::master
