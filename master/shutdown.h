// The end of the daemon, in steps that have a deadline each: actions, their commands, files and mails. Master.
#pragma once

#include "master/action/runner.h"
#include "master/mailer/mailer.h"
#include "master/mailer/notice_writer.h"
#include "master/state_keeper.h"

#include <functional>
#include <optional>

namespace healthcheckd::master {

class Shutdown {
public:
    struct Parts {
        ActionRunner& actions;
        Mailer& mailer;
        NoticeWriter& notices;
        StateKeeper& state;
    };
    Shutdown(Loop& loop, Parts parts);

    // Begins to stop the parts; the caller has stopped what probes and decides. `on_end` is called, once, when all
    // have ended or nothing more can be waited for: less than 3 s later (healthcheckd(8)).
    void begin(std::function<void()> on_end);
    // Returns whether begin() has been called.
    bool begun() const { return static_cast<bool>(on_end_); }

private:
    // What running actions get to finish, what their children get to end their commands, and what the mailer gets,
    // from the beginning, for what it is just sending. With the time to reap what is left this stays below 3 s.
    static constexpr Milliseconds kActionsTimeout{1'500};
    static constexpr Milliseconds kChildrenTimeout{800};
    static constexpr Milliseconds kMailerTimeout = kActionsTimeout + kChildrenTimeout;
    static constexpr Milliseconds kStepInterval{20};

    void step();

    Parts parts_;
    std::function<void()> on_end_;
    TimePoint began_{};
    std::optional<TimePoint> children_told_at_;
    Timer timer_;
};

}  // namespace healthcheckd::master
