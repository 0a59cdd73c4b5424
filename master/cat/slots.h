// Which part of a period each cat has: cats are probed in bursts, since waking up the machine and loading the
// code of a probe costs more than the probe. Pure value: the caller passes the time. Master.
//
// A period is divided into five slots, of at most 1 s. The first hundred cats share one slot, the next hundred
// have the next one, and after the last slot each gets another hundred. Within a slot, cats of one server are
// probed twenty at a time, while it has two hundred in the slot.
#pragma once

#include "master/process/loop.h"

#include <array>
#include <cstddef>
#include <map>
#include <string>

namespace healthcheckd::master {

class Slots {
public:
    using Id = std::size_t;

    // `origin`: when a first slot begins; there is one a period, before it and behind it.
    explicit Slots(TimePoint origin) : origin_(origin) {}

    // Returns the first tick of cat `id`, at or after `earliest` and less than the period, or 5 s, behind it.
    // `server`: what it connects to, as a text that all cats of it share; "": nothing. The cat has its place until
    // leave().
    TimePoint first_tick(Id id, TimePoint earliest, Milliseconds period, const std::string& server);

    // Lets another cat have the place of `id`. No effect when it has none.
    void leave(Id id);

private:
    static constexpr std::size_t kSlots = 5;

    struct Place {
        std::size_t slot = 0;
        std::string server;
        std::size_t part = 0;  // of the cats of its server in this slot
    };
    std::size_t next_slot() const;
    Place take(const std::string& server);

    TimePoint origin_;
    std::array<std::size_t, kSlots> cats_{};
    // The cats of a server in each part of a slot.
    std::map<std::pair<std::size_t, std::string>, std::map<std::size_t, std::size_t>> servers_;
    std::map<Id, Place> places_;
};

}  // namespace healthcheckd::master
