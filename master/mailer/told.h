// What people have been told, over which channel: decides what is news, what is a reminder, and what is
// neither. Pure value: the caller passes the time; no I/O. Mailer.
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

    // A failure that somebody was told of and that has not ended.
    struct Failure {
        Time first{}, last{};       // when it was told
        std::uint32_t repeats = 0;  // firings since `last` that nobody was told of
        bool given_up = false;      // it was told that supervisord gave up starting the program
    };
    // What a message changed: failures by key, none for one that ended.
    using Marks = std::map<std::string, std::optional<Failure>>;

    explicit Told(const NoticeLimits& limits) : limits_(limits) {}

    // Would `notice` be told now? Changes nothing.
    bool is_news(const Notice& notice) const;

    // Takes `notice` in: what to tell, or nothing. `marks` gets what changed. `unsaid`: firings after it that
    // will not be taken in themselves.
    std::optional<Telling> take(const Notice& notice, Marks& marks, std::uint32_t unsaid = 0);

    // The same changes again, after a crash.
    void apply(const Marks& marks);
    // Nobody will get the message that had these: of failures that it told of first, nobody knows.
    void forget(const Marks& marks);
    // The cats that they are about.
    static std::set<std::string> cats_of(const Marks& marks);

    // When the next message of `channel` may be begun: at once, when the last one is a digest's time ago and
    // the hour has room. Times in the future, by a clock that was set back, do not count.
    Time next_message_at(const std::string& channel, Time now) const;
    void note_message(const std::string& channel, Time at);

    // Cats of which somebody waits to hear that they are well again.
    std::set<std::string> failed_cats() const;
    // Forgets what `current` does not know any more, a cat that tells a channel, and what is too old to
    // matter.
    void prune(const std::function<bool(const std::string& channel, const std::string& cat)>& current,
               Time now);

    std::uint64_t lost = 0;  // notices that could not be kept and that no message has told of
    // Firings that were dropped behind a notice that still waits, by its file.
    std::map<std::string, std::uint32_t> unsaid;

    std::string encode() const;
    Result<void> decode(std::string_view text);

private:
    static std::string key_of(const Notice& notice, bool measured = true);

    NoticeLimits limits_;
    Marks failures_;                                     // each has a value
    std::map<std::string, std::vector<Time>> messages_;  // of the last hour, by channel
};

// Marks as JSON, and back; the second throws nlohmann's exceptions.
nlohmann::json marks_json(const Told::Marks& marks);
Told::Marks marks_of(const nlohmann::json& json);

}  // namespace healthcheckd::master
