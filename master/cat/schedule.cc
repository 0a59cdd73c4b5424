#include "master/cat/schedule.h"

#include <algorithm>

namespace healthcheckd::master {

void Schedule::add(Id id, TimePoint first, Milliseconds period) {
    heap_.push_back(Entry{first, period, id});
    std::push_heap(heap_.begin(), heap_.end(), later);
}

void Schedule::add_once(Id id, TimePoint tick) {
    const auto earlier = [id](const Entry& entry) {
        return entry.id == id && entry.period == Milliseconds(0);
    };
    if (std::erase_if(heap_, earlier) > 0)
        std::make_heap(heap_.begin(), heap_.end(), later);
    add(id, tick, Milliseconds(0));
}

void Schedule::remove(Id id) {
    std::erase_if(heap_, [id](const Entry& entry) { return entry.id == id; });
    std::make_heap(heap_.begin(), heap_.end(), later);
}

std::optional<TimePoint> Schedule::next() const {
    if (heap_.empty())
        return std::nullopt;
    return heap_.front().tick;
}

std::optional<Schedule::Due> Schedule::pop_due(TimePoint now) {
    if (heap_.empty() || heap_.front().tick > now)
        return std::nullopt;
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Entry& entry = heap_.back();
    const Id id = entry.id;
    if (entry.period == Milliseconds(0)) {
        heap_.pop_back();
        return Due{id, true};
    }
    entry.tick += entry.period * ((now - entry.tick) / entry.period + 1);
    std::push_heap(heap_.begin(), heap_.end(), later);
    return Due{id, false};
}

}  // namespace healthcheckd::master
