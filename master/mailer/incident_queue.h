// The incidents that wait to be spooled, in order. Pure value. Master.
#pragma once

#include "master/notice/incident.h"

#include <deque>
#include <string>
#include <vector>

namespace healthcheckd::master {

class IncidentQueue {
public:
    static constexpr std::size_t kMost = 5'000;
    static constexpr std::size_t kBatch = 500;  // at most, of take()

    // Adds an incident at the end. A whole batch waits only when the disk is too slow. add() then skips a repetition: an
    // incident without an action whose cat has a last incident in the queue of the same kind, for the same channels. That
    // one tells it. Returns false when the queue is full: the incident is lost.
    bool add(const Incident& incident);
    // Removes the first ones, kBatch at most.
    std::vector<Incident> take();
    // Puts taken ones back to the front, from `first` on.
    void put_back(std::vector<Incident> taken, std::size_t first);

    bool empty() const { return waiting_.empty(); }
    bool has(const std::string& cat) const;
    const std::deque<Incident>& all() const { return waiting_; }

private:
    bool told_already(const Incident& incident) const;

    std::deque<Incident> waiting_;
};

}  // namespace healthcheckd::master
