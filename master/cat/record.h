// What a cat has seen and done: its last verdicts and actions, its counters, and how often what must outlive it has
// changed. Pure value: the caller passes the times. Master.
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
        std::uint64_t fired = 0;  // actions begun, and failures that people were told of without any
    };
    // Counts every change of what is remembered: of what people rely on, and of mere counts.
    struct Revision {
        std::uint64_t deeds = 0;
        std::uint64_t counts = 0;
    };

    // A verdict that counts, at `at`. note_verdict() puts it into the history, with the state that it led to.
    void see(const Report& report, Wall at);
    void note_verdict(CatState after);
    // Something that a person did, or that happened to the cat.
    void note(std::string text, Wall at, CatState state);
    void add_action(RememberedAction action, CatState state);

    const std::optional<LastProbe>& last_probe() const { return last_probe_; }
    // The last five, the newest last.
    std::vector<SeenVerdict> last_verdicts() const { return {verdicts_.begin(), verdicts_.end()}; }
    // The last kMostActions, the newest last.
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
