// What happened to a cat lately: its last verdicts, actions and changes by hand. Pure value: the caller passes the time.
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
        action,  // ended
        note,    // paused, resumed, taken up again
    };

    std::chrono::system_clock::time_point at;
    double value = 0;
    // A success has none, to keep hundreds of cats small: its value says enough.
    std::unique_ptr<const std::string> text;
    std::uint32_t took_us = 0;
    Kind kind = Kind::verdict;
    Verdict verdict = Verdict::unknown;
    CatState state = CatState::starting;  // after it
    const ActionType* action = nullptr;
    bool ok = false;  // of an action
};

class History {
public:
    static constexpr std::size_t kMost = 50;

    // Forgets the oldest event when there are kMost.
    void add(HistoryEvent event) {
        if (events_.size() < kMost) {
            events_.push_back(std::move(event));
            return;
        }
        events_[oldest_] = std::move(event);
        oldest_ = (oldest_ + 1) % kMost;
    }

    std::size_t size() const { return events_.size(); }
    // Event `i` of size(), the oldest first.
    const HistoryEvent& operator[](std::size_t i) const { return events_[(oldest_ + i) % events_.size()]; }

private:
    std::vector<HistoryEvent> events_;  // a ring, once it is full
    std::size_t oldest_ = 0;
};

}  // namespace healthcheckd::master
