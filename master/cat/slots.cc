#include "master/cat/slots.h"

#include <algorithm>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kCatsAtOnce = 100;
constexpr std::size_t kConnectionsAtOnce = 20;
constexpr std::size_t kParts = 10;  // of a slot, for the cats of one server
constexpr Milliseconds kNarrowest{20};
constexpr Milliseconds kWidest{1000};

}  // namespace

TimePoint Slots::first_tick(Id id, TimePoint earliest, Milliseconds period, const std::string& server) {
    leave(id);
    const Place& place = places_[id] = take(server);
    const Milliseconds width = std::clamp(period / static_cast<int>(kSlots), kNarrowest, kWidest);
    const Milliseconds round = std::min(width * static_cast<int>(kSlots), period);
    const auto in_round = (width * static_cast<int>(place.slot) +
                           width * static_cast<int>(place.part % kParts) / static_cast<int>(kParts)) %
                          round;
    const auto behind = std::chrono::ceil<Milliseconds>(earliest - origin_) - in_round;
    const auto rounds = behind / round + (behind % round > Milliseconds(0) ? 1 : 0);
    return origin_ + in_round + round * rounds;
}

// The first slot that is not full, where all have room for the same number.
std::size_t Slots::next_slot() const {
    const std::size_t room = (*std::ranges::min_element(cats_) / kCatsAtOnce + 1) * kCatsAtOnce;
    return static_cast<std::size_t>(
        std::ranges::find_if(cats_, [room](std::size_t cats) { return cats < room; }) - cats_.begin());
}

Slots::Place Slots::take(const std::string& server) {
    Place place{next_slot(), server, 0};
    ++cats_[place.slot];
    if (server.empty())
        return place;
    auto& parts = servers_[{place.slot, server}];
    while (parts[place.part] >= kConnectionsAtOnce)
        ++place.part;
    ++parts[place.part];
    return place;
}

void Slots::leave(Id id) {
    const auto found = places_.find(id);
    if (found == places_.end())
        return;
    const Place& place = found->second;
    --cats_[place.slot];
    if (!place.server.empty()) {
        const auto server = servers_.find({place.slot, place.server});
        if (--server->second[place.part] == 0 && server->second.erase(place.part) > 0 &&
            server->second.empty())
            servers_.erase(server);
    }
    places_.erase(found);
}

}  // namespace healthcheckd::master
