#include "master/cat/slots.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>

using namespace healthcheckd::master;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_slots)

namespace {

const TimePoint kOrigin{1000s};

// The number of cats at each first tick, in milliseconds after the origin.
using Bursts = std::map<std::int64_t, int>;

Bursts bursts(Slots& slots, std::size_t first, std::size_t count, const std::string& server) {
    Bursts bursts;
    for (std::size_t id = first; id < first + count; ++id)
        ++bursts[(slots.first_tick(id, kOrigin, 5000ms, server) - kOrigin) / 1ms];
    return bursts;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_hundred_cats_are_probed_together_and_the_next_hundred_a_second_later) {
    Slots slots(kOrigin);
    BOOST_TEST((bursts(slots, 0, 100, "") == Bursts{{0, 100}}));
    BOOST_TEST((bursts(slots, 100, 150, "") == Bursts{{1000, 100}, {2000, 50}}));
}

BOOST_AUTO_TEST_CASE(two_thousand_cats_are_spread_evenly) {
    Slots slots(kOrigin);
    BOOST_TEST(
        (bursts(slots, 0, 2000, "") == Bursts{{0, 400}, {1000, 400}, {2000, 400}, {3000, 400}, {4000, 400}}));
}

BOOST_AUTO_TEST_CASE(the_place_of_a_cat_that_has_gone_is_taken_again) {
    Slots slots(kOrigin);
    bursts(slots, 0, 150, "");
    for (std::size_t id = 0; id < 30; ++id)
        slots.leave(id);
    slots.leave(7);  // has none any more
    BOOST_TEST((bursts(slots, 200, 40, "") == Bursts{{0, 30}, {1000, 10}}));
}

BOOST_AUTO_TEST_CASE(no_more_than_twenty_connections_come_to_one_server_at_once) {
    Slots slots(kOrigin);
    BOOST_TEST((bursts(slots, 0, 45, " localhost 80") == Bursts{{0, 20}, {100, 20}, {200, 5}}));
    BOOST_TEST((bursts(slots, 100, 20, " localhost 81") == Bursts{{0, 20}}));
    for (std::size_t id = 0; id < 3; ++id)
        slots.leave(id);
    BOOST_TEST((bursts(slots, 200, 20, " localhost 80") == Bursts{{0, 3}, {200, 15}, {300, 2}}));
}

BOOST_AUTO_TEST_CASE(cats_with_other_delays_and_periods_share_the_ticks_of_all) {
    Slots slots(kOrigin);
    std::size_t id = 0;
    for (const auto delay : {0ms, 1ms, 2500ms, 7000ms, 60'000ms})
        for (const auto period : {5000ms, 10'000ms, 3'600'000ms}) {
            const TimePoint earliest = kOrigin + delay;
            const TimePoint tick = slots.first_tick(id++, earliest, period, "");
            BOOST_TEST((tick >= earliest));
            BOOST_TEST((tick < earliest + 5s));
            BOOST_TEST((tick - kOrigin) % 5s == 0ms);
        }
}

BOOST_AUTO_TEST_CASE(cats_that_may_be_probed_shortly_before_a_burst_are_probed_in_it) {
    for (const auto before : {0us, 1us, 250'000us}) {
        Slots slots(kOrigin);
        for (std::size_t id = 0; id < 500; ++id) {
            const TimePoint tick = slots.first_tick(id, kOrigin - before, 5000ms, "");
            BOOST_TEST((tick - kOrigin == id / 100 * 1s));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_first_tick_comes_before_a_short_period_is_over) {
    Slots slots(kOrigin);
    for (std::size_t id = 0; id < 1000; ++id)
        for (const auto period : {10ms, 50ms, 1000ms, 3000ms}) {
            const TimePoint earliest = kOrigin - 1s + id * 7777us;
            const TimePoint tick = slots.first_tick(id, earliest, period, id % 2 == 0 ? "" : " localhost 80");
            BOOST_TEST((tick >= earliest));
            BOOST_TEST((tick < earliest + period + 1ms));
        }
}

BOOST_AUTO_TEST_SUITE_END()
