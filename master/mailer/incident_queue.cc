#include "master/mailer/incident_queue.h"

#include <algorithm>
#include <iterator>

namespace healthcheckd::master {

bool IncidentQueue::add(const Incident& incident) {
    if (waiting_.size() >= kBatch && told_already(incident))
        return true;
    if (waiting_.size() >= kMost)
        return false;
    waiting_.push_back(incident);
    return true;
}

bool IncidentQueue::told_already(const Incident& incident) const {
    const auto last = std::find_if(waiting_.rbegin(), waiting_.rend(), [&](const Incident& each) {
        return each.request.cat_name == incident.request.cat_name;
    });
    return last != waiting_.rend() && last->kind == incident.kind && last->action == nullptr &&
           incident.action == nullptr && last->request.channels == incident.request.channels;
}

std::vector<Incident> IncidentQueue::take() {
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kBatch));
    std::vector<Incident> taken(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    return taken;
}

void IncidentQueue::put_back(std::vector<Incident> taken, std::size_t first) {
    waiting_.insert(waiting_.begin(),
                    std::make_move_iterator(taken.begin() + static_cast<std::ptrdiff_t>(first)),
                    std::make_move_iterator(taken.end()));
}

bool IncidentQueue::has(const std::string& cat) const {
    return std::ranges::any_of(waiting_, [&](const Incident& each) { return each.request.cat_name == cat; });
}

}  // namespace healthcheckd::master
