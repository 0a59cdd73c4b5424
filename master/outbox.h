// From notices to delivered messages: collects, limits, remembers, retries. Mailer.
//
// Each channel goes by itself. Its notices become messages: the first at once, those that follow within
// mail.digestSeconds in one, no more than mail.maxPerHour. A message that failed as a whole holds up those
// after it, so that what is told comes in its order; once it has failed a few times for a reason of its own
// it holds up nobody any more. What is in the spool is always enough to go on from: a message is on disk
// before its notices are removed, what was told is on disk before that, and a message is removed when it is
// delivered or given up.
#pragma once

#include "common/config.h"
#include "master/delivery.h"
#include "master/spool.h"
#include "master/spool_message.h"
#include "master/told.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace healthcheckd::master {

// What the outbox has to say to the log; `who` is a cat or a channel.
enum class Weight { info, warning, error };
using SayFunction = std::function<void(Weight weight, const std::string& who, const std::string& text)>;

class Outbox {
public:
    using Time = std::chrono::system_clock::time_point;
    static constexpr std::chrono::seconds kFirstWait{5};
    static constexpr std::chrono::seconds kLongestWait{900};
    static constexpr std::chrono::hours kMostAge{5 * 24};

    struct Counters {
        std::size_t waiting = 0;   // notices and messages in the spool
        std::uint64_t sent = 0;    // messages delivered, since this process began
        std::uint64_t failed = 0;  // messages or recipients given up, since then
        friend bool operator==(const Counters&, const Counters&) = default;
    };
    struct Message : SpoolMessage {
        Time next_try{};
        bool in_flight = false;
        bool holds_up = true;  // the messages after it
        bool on_disk =
            true;  // false: the disk was full; it waits in memory, and its notices stay in the spool
    };

    Outbox(const Config& config, const Spool& spool, std::string life, SayFunction say);

    // Takes up what lies in the spool; before anything else. `now`: the present, here and below.
    void load(Time now);
    // Looks for new notices.
    void scan();
    // Notices that their writers could not keep.
    void note_lost(std::uint64_t count);
    // Messages to be handed over now. Each stays valid until report() was called for it.
    std::vector<Message*> due(Time now);
    void report(Message& message, const DeliveryResult& result, Time now);
    // When due() may have something, unless something happens before.
    Time next_wake(Time now) const;

    Counters counters() const;
    // Cats of which somebody waits to hear that they are well again, once all that waits has been told.
    std::set<std::string> failed_cats() const;

private:
    static constexpr const char* kToldFile = "told.json";
    struct Waiting {
        std::string file;
        Notice notice;
    };
    struct Channel {
        std::vector<Waiting> notices;
        std::list<Message> messages;
        bool in_flight() const;
        bool held_up() const;
    };

    void load_messages(Time now);
    void release_pending();
    void absorb(Channel& channel);
    void compose(const std::string& name, Channel& channel, Time now);
    void write_text(SpoolMessage& message, const std::vector<Telling>& tellings) const;
    void settle(Message& message);
    void keep_told();
    void forget_notices(const std::vector<std::string>& files);
    void on_delivered(Channel& channel, Message& message, const DeliveryResult& result, Time now);
    void on_put_off(Message& message, const DeliveryResult& result, Time now);
    void give_up(const SpoolMessage& message, const std::vector<std::string>& recipients,
                 const std::string& why);
    void drop(Channel& channel, Message& message);
    const WebhookConfig* webhook(const std::string& channel) const;

    const Config& config_;
    const Spool& spool_;
    const std::string life_;
    SayFunction say_;
    Told told_;
    std::map<std::string, Channel> channels_;
    std::set<std::string> seen_;  // files of notices that are in `channels_`
    Counters counters_;
    bool disk_failed_ = false;
};

}  // namespace healthcheckd::master
