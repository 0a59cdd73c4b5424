// The queue of one channel: notices that are in no message yet, and messages, in order. Mailer.
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
    bool blocks_channel = true;  // nothing after it is sent before it
    bool quiet = false;          // the log already has the reason for deferring it
    bool saved = true;           // false: the disk was full; its notices are still in the spool
    // While in flight: recipients that an earlier message must reach first.
    std::vector<std::string> waiting_recipients = {};
};

// A notice in the spool that is in no message.
struct WaitingNotice {
    std::string file;
    std::size_t bytes = 0;
    Notice notice;
};

struct ChannelQueue {
    std::vector<WaitingNotice> notices;
    std::list<QueuedMessage> messages;
    bool needs_pruning = false;  // there may be notices that change nothing
    std::string refusal;         // DeliveryResult::refusal, as logged; empty: the server accepts us
    std::string refused_because;
    bool in_flight() const;
    bool is_blocked() const;
    // Returns the cats whose notices must wait because an earlier notice is in a message that nobody has
    // received.
    std::set<std::string> cats_in_flight() const;
    bool has_notice_to_tell() const;
    // Returns the recipients of `message` that must first receive an earlier message.
    std::vector<std::string> recipients_ahead(const QueuedMessage& message) const;
    bool may_send(const QueuedMessage& message) const;
};

}  // namespace healthcheckd::master
