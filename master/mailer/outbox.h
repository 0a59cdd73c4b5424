// Turns notices into delivered messages: collects, limits, remembers, retries. Mailer.
//
// Channels are independent. The first notice of a channel becomes a message at once, those that follow within
// digestSeconds share one, and there are at most maxPerHour messages. Notices that change nothing are dropped
// as soon as they are read, and the order is kept:
//
//   a message that failed as a whole       blocks its channel; after several failures of its own it blocks only
//                                          notices of the cats that it is about
//   a mail that some recipients received   precedes later mails to the other recipients
//
// The spool always allows to continue after a crash: a message is saved before its notices are removed, what
// it announces is saved before that, and it is removed when it is delivered or kept in `dead`.
#pragma once

#include "common/config/config.h"
#include "master/mailer/channel_queue.h"
#include "master/mailer/delivery/delivery.h"
#include "master/mailer/spool_message.h"
#include "master/mailer/told.h"
#include "master/notice/spool.h"

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

// A message for the log; `who` is a cat or a channel.
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
        std::uint64_t sent = 0;    // messages delivered since this process started
        std::uint64_t failed = 0;  // messages or recipients given up since then
        std::string trouble;  // why a server rejects us, until it accepts something again; empty: none does
        friend bool operator==(const Counters&, const Counters&) = default;
    };
    using Message = QueuedMessage;

    Outbox(const Config& config, const Spool& spool, std::string run_id, SayFunction say);

    // Loads the spool; call first. `now`: the present time, here and below.
    void load(Time now);
    // Reads new notices from the spool.
    void scan();
    // Counts notices that could not be spooled.
    void note_lost(std::uint64_t count);
    // Returns the messages to be delivered now. Each stays valid until report() is called for it.
    std::vector<Message*> due(Time now);
    void report(Message& message, const DeliveryResult& result, Time now);
    // Returns when due() should be called again, unless something happens before.
    Time next_wake(Time now) const;

    Counters counters() const;
    // Returns the cats whose recovery somebody expects to be told of, after all waiting notices.
    std::set<std::string> failed_cats() const;

private:
    static constexpr const char* kToldFile = "told.json";
    using Waiting = WaitingNotice;
    using Channel = ChannelQueue;

    void load_messages(Time now);
    void take_up_message(const std::string& name, Time now);
    void release_pending();
    void take_up_notice(const std::string& file, std::vector<Waiting>& found);
    void put_aside(const std::string& name, const std::string& why);
    void sift(Channel& channel);
    void compose(const std::string& name, Channel& channel, Time now);
    std::vector<Telling> take_notices(Channel& channel, Message& message);
    std::string next_name(const std::string& channel, Time now);
    void save(Message& message);
    void save_told();
    void on_delivered(Channel& channel, Message& message, const DeliveryResult& result, Time now);
    void on_rejected(Channel& channel, Message& message, const std::string& why, Time now);
    void on_deferred(Channel& channel, Message& message, const DeliveryResult& result, Time now);
    void try_later(Message& message, const DeliveryResult& result, Time now);
    static bool note_refusal(Channel& channel, const DeliveryResult& result);
    bool give_up(const SpoolMessage& message, const std::vector<std::string>& recipients,
                 const std::string& why);
    bool give_up_refused(Message& message, const DeliveryResult& result);
    void drop(Channel& channel, Message& message);

    const Config& config_;
    const Spool& spool_;
    const std::string run_id_;
    SayFunction say_;
    Told told_;
    std::map<std::string, Channel> channels_;
    std::set<std::string> seen_;          // files of notices that are in `channels_`
    std::vector<std::string> to_remove_;  // files of notices; removed once told.json has what they changed
    std::chrono::nanoseconds last_name_{0};
    Counters counters_;
    bool disk_failed_ = false;
};

}  // namespace healthcheckd::master
