// The back-off before a child that ended is started again. Pure value: the caller passes the time. Master.
#pragma once

#include "master/process/loop.h"

#include <algorithm>

namespace healthcheckd::master {

// After the first end the child is restarted at once. An end within kQuiet of the start delays the next start
// by 1 s, doubled each further time, up to 60 s. An end after kQuiet or more resets the back-off.
class Backoff {
public:
    static constexpr Milliseconds kQuiet{10'000};
    static constexpr Milliseconds kFirst{1'000};
    static constexpr Milliseconds kMost{60'000};

    void on_start(TimePoint now) { started_ = now; }

    // Returns the delay before the next start.
    Milliseconds on_end(TimePoint now) {
        if (now - started_ >= kQuiet)
            early_ends_ = 0;
        ++early_ends_;
        wait_ = early_ends_ < 2 ? Milliseconds{0}
                                : std::min(kMost, wait_ == Milliseconds{0} ? kFirst : wait_ * 2);
        return wait_;
    }

private:
    TimePoint started_{};
    int early_ends_ = 0;
    Milliseconds wait_{0};
};

}  // namespace healthcheckd::master
