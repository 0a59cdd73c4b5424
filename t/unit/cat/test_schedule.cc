#include "master/cat/schedule.h"
#include "master/process/backoff.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <vector>

using namespace healthcheckd::master;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_schedule)

namespace {

const TimePoint kStart{1000s};

std::vector<Schedule::Id> due_at(Schedule& schedule, TimePoint now) {
    std::vector<Schedule::Id> ids;
    while (const auto due = schedule.pop_due(now))
        ids.push_back(due->id);
    return ids;
}

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_is_due_before_its_tick) {
    Schedule schedule;
    BOOST_TEST(!schedule.next().has_value());
    schedule.add(7, kStart + 1s, 5000ms);
    BOOST_TEST(due_at(schedule, kStart + 999ms).empty());
    BOOST_TEST(due_at(schedule, kStart + 1s) == std::vector<Schedule::Id>{7});
    BOOST_TEST((schedule.next() == kStart + 6s));
}

BOOST_AUTO_TEST_CASE(a_grid_does_not_drift_when_ticks_are_served_late) {
    Schedule schedule;
    schedule.add(1, kStart, 100ms);
    for (int k = 0; k < 1000; ++k) {
        BOOST_TEST_REQUIRE((schedule.next() == kStart + k * 100ms));
        BOOST_TEST_REQUIRE(schedule.pop_due(kStart + k * 100ms + 37ms).has_value());
    }
}

BOOST_AUTO_TEST_CASE(after_a_standstill_each_cat_gets_one_tick_not_all_it_missed) {
    Schedule schedule;
    schedule.add(1, kStart, 100ms);
    schedule.add(2, kStart + 50ms, 1000ms);
    BOOST_TEST(due_at(schedule, kStart + 1h + 20ms).size() == 2);
    BOOST_TEST((schedule.next() == kStart + 1h + 50ms));
}

BOOST_AUTO_TEST_CASE(ticks_of_several_cats_come_in_their_order) {
    Schedule schedule;
    schedule.add(1, kStart + 30ms, 1000ms);
    schedule.add(2, kStart + 10ms, 1000ms);
    schedule.add(3, kStart + 20ms, 1000ms);
    BOOST_TEST(due_at(schedule, kStart + 30ms) == (std::vector<Schedule::Id>{2, 3, 1}));
}

BOOST_AUTO_TEST_CASE(a_removed_cat_is_never_due) {
    Schedule schedule;
    schedule.add(1, kStart, 100ms);
    schedule.add(2, kStart, 100ms);
    schedule.remove(1);
    BOOST_TEST(due_at(schedule, kStart + 1s) == std::vector<Schedule::Id>{2});
}

BOOST_AUTO_TEST_CASE(one_tick_beside_the_grid_changes_nothing_of_the_grid) {
    Schedule schedule;
    schedule.add(1, kStart, 1h);
    BOOST_TEST(due_at(schedule, kStart).size() == 1U);
    schedule.add_once(1, kStart + 2s);
    schedule.add_once(1, kStart + 1s);
    BOOST_TEST((schedule.next() == kStart + 1s));
    BOOST_TEST((schedule.pop_due(kStart + 3s) == Schedule::Due{1, true}));
    BOOST_TEST((schedule.next() == kStart + 1h));
    BOOST_TEST((schedule.pop_due(kStart + 1h) == Schedule::Due{1, false}));
    schedule.add_once(1, kStart + 4s);
    schedule.remove(1);
    BOOST_TEST(!schedule.next().has_value());
}

BOOST_AUTO_TEST_CASE(a_crash_loop_waits_longer_each_time_up_to_a_minute) {
    Backoff backoff;
    TimePoint now = kStart;
    std::vector<std::int64_t> waits;
    for (int i = 0; i < 9; ++i) {
        backoff.on_start(now);
        const Milliseconds wait = backoff.on_end(now + 1s);
        waits.push_back(wait.count() / 1000);
        now += 1s + wait;
    }
    BOOST_TEST(waits == (std::vector<std::int64_t>{0, 1, 2, 4, 8, 16, 32, 60, 60}));
}

BOOST_AUTO_TEST_CASE(a_child_that_lived_for_a_while_is_started_again_at_once) {
    Backoff backoff;
    TimePoint now = kStart;
    Milliseconds wait{0};
    for (int i = 0; i < 5; ++i) {
        backoff.on_start(now);
        wait = backoff.on_end(now + 1s);
        now += 1s + wait;
    }
    BOOST_TEST((wait > 0ms));
    backoff.on_start(now);
    BOOST_TEST((backoff.on_end(now + 10s) == 0ms));
}

BOOST_AUTO_TEST_SUITE_END()
