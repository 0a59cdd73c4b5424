// The data collected by a cat: last verdicts and actions, counters, and revisions of what is saved. Pure
// value: the caller passes the times. Master.
#pragma once

#include "master/cat/history.h"
#include "master/cat/threshold.h"
#include "master/files/memory.h"
#include "master/notice/incident.h"

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::master {

class Record {
public:
    using Wall = std::chrono::system_clock::time_point;
    struct LastProbe {
        Wall at;
        Report report;
    };
    struct Counters {
        std::uint64_t probes = 0;
        std::uint64_t skipped_ticks = 0;
        std::uint64_t fired = 0;  // actions begun, and failures announced without an action
    };
    // Incremented on every change of what is saved: `deeds` by changes to be saved soon, `counts` by mere
    // counts.
    struct Revision {
        std::uint64_t deeds = 0;
        std::uint64_t counts = 0;
    };

    // Adds a verdict that counts, seen at `at`. note_verdict() then adds it to the history, with the
    // resulting state.
    void see(const Report& report, Wall at);
    void note_verdict(CatState after);
    // Adds an event other than a verdict or an action, such as a pause.
    void note(std::string text, Wall at, CatState state);
    void add_action(RememberedAction action, CatState state);

    const std::optional<LastProbe>& last_probe() const { return last_probe_; }
    // The last five verdicts, the newest last.
    std::vector<SeenVerdict> last_verdicts() const { return {verdicts_.begin(), verdicts_.end()}; }
    // The last kMostActions actions, the newest last.
    const std::deque<RememberedAction>& actions() const { return actions_; }
    const History& history() const { return history_; }

    Counters counters;
    Revision revision;

private:
    std::optional<LastProbe> last_probe_;
    std::deque<SeenVerdict> verdicts_;
    std::deque<RememberedAction> actions_;
    History history_;
};

}  // namespace healthcheckd::master
