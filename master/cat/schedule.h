// When each cat is probed: fixed grids of monotonic time (master/cat/slots.h chooses them). Pure value: the
// caller passes the time. Master.
//
// The grid of a cat never drifts: a tick that cannot be used (the previous probe is still running, or the
// program is in its initial delay) is skipped, and the next one comes at its usual time. After a stall of the
// whole process each cat gets one tick, not all that were missed. A tick beside the grid moves none of it.
#pragma once

#include "master/process/loop.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace healthcheckd::master {

class Schedule {
public:
    using Id = std::size_t;

    // Adds a grid with its first tick at `first`; pop_due() returns `id`.
    void add(Id id, TimePoint first, Milliseconds period);

    // Adds one tick beside the grid of `id`, in place of an earlier one that is still to come.
    void add_once(Id id, TimePoint tick);

    // Removes every tick of `id`.
    void remove(Id id);

    // Returns the time of the next tick of any cat.
    std::optional<TimePoint> next() const;

    struct Due {
        Id id;
        bool once;  // by add_once()
        bool operator==(const Due&) const = default;
    };
    // Returns a cat whose tick is at or before `now`, or nullopt. The next tick of its grid is the first one
    // after `now`.
    std::optional<Due> pop_due(TimePoint now);

private:
    struct Entry {
        TimePoint tick;
        Milliseconds period;  // 0: one tick only
        Id id;
    };
    // Orders the heap: the earliest tick on top; the lower id among equals, for a fixed order.
    static bool later(const Entry& a, const Entry& b) {
        return a.tick != b.tick ? a.tick > b.tick : a.id > b.id;
    }

    std::vector<Entry> heap_;
};

}  // namespace healthcheckd::master
