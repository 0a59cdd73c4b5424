// What has been announced over which channel: decides whether a notice is news, a reminder, or neither. Pure
// value: the caller passes the time; no I/O. Mailer.
#pragma once

#include "common/config/config.h"
#include "common/system/result.h"
#include "master/mailer/text/notice_text.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

class Told {
public:
    using Time = std::chrono::system_clock::time_point;

    // A failure that was announced and has not ended.
    struct Failure {
        Time first{}, last{};       // when it was announced
        std::uint32_t repeats = 0;  // firings since `last` that were not announced
        bool given_up = false;      // it was announced that supervisord gave up starting the program
    };
    // The changes made by a message: failures by key; nullopt for one that ended.
    using Marks = std::map<std::string, std::optional<Failure>>;

    explicit Told(const NoticeLimits& limits) : limits_(limits) {}

    // Returns whether `notice` would be announced now. Changes nothing.
    bool is_news(const Notice& notice) const;

    // Adds `notice`; returns what to announce, or nullopt. Adds the changes to `marks`. `unsaid`: number of
    // suppressed firings after it that will not be added themselves.
    std::optional<Telling> take(const Notice& notice, Marks& marks, std::uint32_t unsaid = 0);

    // Repeats the changes of a message, after a crash.
    void apply(const Marks& marks);
    // Undoes `marks` of a message that was given up: failures that it would have announced first become
    // unknown again.
    void forget(const Marks& marks);
    // Returns the cats that `marks` are about.
    static std::set<std::string> cats_of(const Marks& marks);

    // Returns when the next message of `channel` may be composed: now, if the last one is older than the
    // digest interval and the hourly limit is not reached. Ignores times in the future, which a clock
    // that was set back leaves.
    Time next_message_at(const std::string& channel, Time now) const;
    void note_message(const std::string& channel, Time at);

    // Returns the cats whose recovery somebody expects to be told of.
    std::set<std::string> failed_cats() const;
    // Forgets failures for which `current` returns false (the cat no longer notifies the channel), and those
    // that are too old to matter.
    void prune(const std::function<bool(const std::string& channel, const std::string& cat)>& current,
               Time now);

    std::uint64_t lost = 0;  // lost notices that no message has mentioned
    // Numbers of firings suppressed in favour of a notice that still waits, by its file.
    std::map<std::string, std::uint32_t> unsaid;

    std::string encode() const;
    Result<void> decode(std::string_view text);

private:
    static std::string key_of(const Notice& notice, bool measured = true);

    NoticeLimits limits_;
    Marks failures_;                                     // every entry has a value
    std::map<std::string, std::vector<Time>> messages_;  // of the last hour, by channel
};

// Marks as JSON, and back; marks_of() throws nlohmann's exceptions.
nlohmann::json marks_json(const Told::Marks& marks);
Told::Marks marks_of(const nlohmann::json& json);

}  // namespace healthcheckd::master
