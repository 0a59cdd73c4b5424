// When each cat is probed: fixed grids of monotonic time, spread so that cats do not fire together. Pure
// value: the caller passes the time. Master.
//
// The grid of a cat never drifts: a tick that could not be used (the last probe still runs, the program's initial delay is not
// over) is lost, the next one comes where it always would have. After a stall of the whole process each cat gets one tick, not all that were missed.
#pragma once

#include "master/process/loop.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace healthcheckd::master {

// How far apart the groups of a period are: a fifth of it, 20 ms to 1 s. Cats whose ticks fall into one group
// are probed together, because waking up the machine costs more than a probe; groups keep the load spread.
Milliseconds slot_of(Milliseconds period);

// The first tick of cat `index`: on the grid of slots that begins at `origin`, the same for all cats, and not
// before `earliest`. The cats are spread over the slots of a period, at most 5 s, by golden-ratio steps, so
// that any number of them is spread evenly. Each keeps its slot for good: the grouping itself adds no jitter.
TimePoint first_tick(TimePoint origin, TimePoint earliest, Milliseconds period, std::size_t index);

class Schedule {
public:
    using Id = std::size_t;

    // Adds a grid; `id` is handed back by pop_due(). The first tick is at `first`.
    void add(Id id, TimePoint first, Milliseconds period);

    // Removes every grid of `id`.
    void remove(Id id);

    // The time of the next tick of any cat.
    std::optional<TimePoint> next() const;

    // A cat whose tick is at or before `now`, or nothing. Its next tick is the first of its grid after `now`.
    std::optional<Id> pop_due(TimePoint now);

private:
    struct Entry {
        TimePoint tick;
        Milliseconds period;
        Id id;
    };
    // Orders the heap so that the earliest tick is on top; among equals the lower id, for a fixed order.
    static bool later(const Entry& a, const Entry& b) {
        return a.tick != b.tick ? a.tick > b.tick : a.id > b.id;
    }

    std::vector<Entry> heap_;
};

}  // namespace healthcheckd::master
