// The recent events of a cat: verdicts, actions and changes by hand. Pure value: the caller passes the time.
// Master.
#pragma once

#include "common/config/config.h"
#include "common/wire/verdict.h"
#include "master/cat/threshold.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace healthcheckd::master {

struct HistoryEvent {
    enum class Kind : std::uint8_t {
        verdict,
        action,  // an action ended
        note,    // paused, resumed, restored
    };

    std::chrono::system_clock::time_point at;
    double value = 0;
    // Empty for a success, to keep hundreds of cats small: the value is enough.
    std::unique_ptr<const std::string> text;
    std::uint32_t took_us = 0;
    Kind kind = Kind::verdict;
    Verdict verdict = Verdict::unknown;
    CatState state = CatState::starting;  // after the event
    const ActionType* action = nullptr;
    bool ok = false;  // whether the action succeeded
};

class History {
public:
    static constexpr std::size_t kMost = 50;

    // Replaces the oldest event when there are kMost.
    void add(HistoryEvent event) {
        if (events_.size() < kMost) {
            events_.push_back(std::move(event));
            return;
        }
        events_[oldest_] = std::move(event);
        oldest_ = (oldest_ + 1) % kMost;
    }

    std::size_t size() const { return events_.size(); }
    // Returns event `i` of size(), counted from the oldest.
    const HistoryEvent& operator[](std::size_t i) const { return events_[(oldest_ + i) % events_.size()]; }

private:
    std::vector<HistoryEvent> events_;  // a ring buffer once it is full
    std::size_t oldest_ = 0;
};

}  // namespace healthcheckd::master
