// Whether a cat is paused, and until when. Pure value: the caller passes the times. Master.
#pragma once

#include "master/process/loop.h"

#include <chrono>
#include <optional>

namespace healthcheckd::master {

class PauseClock {
public:
    struct Pause {
        std::optional<std::chrono::system_clock::time_point> until;  // nullopt: until resumed
    };

    // Begins a pause at `now`; `wall` is the same moment in wall-clock time. Without `how_long` it lasts
    // until end().
    void begin(TimePoint now, std::chrono::system_clock::time_point wall,
               std::optional<Milliseconds> how_long) {
        pause_.emplace();
        end_.reset();
        if (!how_long)
            return;
        pause_->until = wall + *how_long;
        end_ = now + *how_long;
    }
    void end() {
        pause_.reset();
        end_.reset();
    }

    // Returns whether end() is still to be called, even if the time is over.
    bool begun() const { return pause_.has_value(); }
    // Returns whether the time of the pause is over.
    bool over(TimePoint now) const { return end_ && now >= *end_; }
    // Returns the pause in force at `now`.
    std::optional<Pause> at(TimePoint now) const { return over(now) ? std::nullopt : pause_; }

private:
    std::optional<Pause> pause_;
    std::optional<TimePoint> end_;
};

}  // namespace healthcheckd::master
