// The timer of a network probe: its timeout, duration, and a result with both. Worker (http, tcp).
#pragma once

#include "common/config/config.h"
#include "worker/probe/probe.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace healthcheckd::worker {

class ProbeTimer {
public:
    using Clock = std::chrono::steady_clock;

    // Starts the timer.
    explicit ProbeTimer(std::chrono::milliseconds limit) : limit_(limit), begin_(Clock::now()) {}

    Clock::time_point deadline() const { return begin_ + limit_; }
    // Ends the measured time. Only the first call counts.
    void stop() {
        if (!end_)
            end_ = Clock::now();
    }
    bool stopped() const { return end_.has_value(); }
    // Returns the time until stop(), or until now.
    double milliseconds() const {
        return std::chrono::duration<double, std::milli>(end_.value_or(Clock::now()) - begin_).count();
    }

    ProbeResult result(Finding finding) const {
        ProbeResult result;
        result.verdict = finding.verdict;
        result.value = milliseconds();
        result.limit = static_cast<double>(limit_.count());
        result.unit = "ms";
        result.message = std::move(finding.message);
        return result;
    }

private:
    std::chrono::milliseconds limit_;
    Clock::time_point begin_;
    std::optional<Clock::time_point> end_;
};

}  // namespace healthcheckd::worker
