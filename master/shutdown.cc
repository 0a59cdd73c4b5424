#include "master/shutdown.h"

#include "common/log/log.h"

namespace healthcheckd::master {

Shutdown::Shutdown(Loop& loop, Parts parts) : parts_(parts), timer_(loop, [this] { step(); }) {}

void Shutdown::begin(std::function<void()> on_end) {
    on_end_ = std::move(on_end);
    began_ = Clock::now();
    parts_.actions.stop();
    parts_.mailer.stop();
    if (const auto waiting = parts_.mailer.counters().queued; waiting > 0)
        log::info("mailer", "{} notices and messages stay in the spool until the next start", waiting);
    parts_.state.stop();
    step();
}

void Shutdown::step() {
    const TimePoint now = Clock::now();
    // What running actions still do belongs to what is known, until the end.
    parts_.state.write_changes();
    const bool busy = parts_.actions.under_way() > 0;
    if (!children_told_at_ && (!busy || now - began_ >= kActionsTimeout)) {
        children_told_at_ = now;
        parts_.actions.stop_now();
    } else if (children_told_at_) {
        const bool idle = parts_.state.idle() && parts_.actions.children() == 0 && parts_.notices.idle();
        if ((idle || now - *children_told_at_ >= kChildrenTimeout) &&
            (parts_.mailer.ended() || now - began_ >= kMailerTimeout)) {
            parts_.notices.log_unwritten();
            parts_.state.log_unwritten();
            on_end_();
            return;
        }
    }
    timer_.start(kStepInterval);
}

}  // namespace healthcheckd::master
