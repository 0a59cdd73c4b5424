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

    // Adds an incident at the end. While a whole batch waits, the disk is slower than the incidents come: then an incident
    // that says of a cat what the cat's last one in the queue says, and for which nothing was done, is told by that one and
    // is not added. Returns false when the queue is full, so that the incident is lost.
    bool add(Incident incident);
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
