// A cat decides by its clock, what supervisord says of its program, and what its worker reports; here all three are the
// test's.
#include "t/fixture/cat_world.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_cat)

BOOST_AUTO_TEST_CASE(no_probe_comes_before_the_initial_delay_is_over_nor_beside_another) {
    CatWorld world(kMemCheck, 3, 10s);
    BOOST_TEST(!world.tick(9s));
    BOOST_TEST(world.tick(1s));
    BOOST_TEST(world.prober->probes == 1);
    BOOST_TEST(world.tick());
    BOOST_TEST(world.prober->probes == 1);
    BOOST_TEST(world.cat->counters().skipped_ticks == 1U);
}

BOOST_AUTO_TEST_CASE(a_first_probe_that_was_not_possible_is_tried_again_before_the_next_tick) {
    CatWorld world(kMemCheck, 3, 0s);
    const ProgramView good{.program = &world.program};
    world.cat->tick(world.now, {.unknown = "supervisord was never reached"});
    world.prober->why_none = "it was lost";
    for (const bool ready : {true, false}) {
        world.prober->is_ready = ready;
        const auto next = world.cat->next_try(world.now);
        BOOST_TEST_REQUIRE(next.has_value());
        BOOST_TEST((*next == world.now + (ready ? 500ms : 1000ms)));
        world.now = *next;
        world.cat->try_first_probe(world.now, ready ? ProgramView{.unknown = "still not"} : good);
        BOOST_TEST(world.prober->probes == 0);
    }
    BOOST_TEST(world.cat->counters().probes == 1U);
    world.prober->is_ready = true;
    world.now = world.cat->next_try(world.now).value();
    world.cat->try_first_probe(world.now, good);
    BOOST_TEST(world.prober->probes == 1);
    BOOST_TEST(!world.cat->next_try(world.now).has_value());
    world.answer(Verdict::success);
    world.cat->try_first_probe(world.now, good);
    BOOST_TEST(world.prober->probes == 1);
}

BOOST_AUTO_TEST_CASE(tries_of_a_first_probe_become_rare_and_end_with_the_period) {
    CatWorld world(kMemCheck, 3, 0s);
    int tries = 0;
    while (const auto next = world.cat->next_try(world.now)) {
        BOOST_TEST_REQUIRE(++tries < 100);
        world.cat->try_first_probe(world.now = *next, {.pending = true});
    }
    BOOST_TEST(tries == 4);  // after 0.5, 1, 2 and 4 s; the period is 5 s
    BOOST_TEST(world.state() == "starting");
}

BOOST_AUTO_TEST_CASE(a_first_tick_within_the_initial_delay_is_made_up_for_at_its_end) {
    CatWorld world(kMemCheck, 3, 10s);
    BOOST_TEST(!world.tick(9s));
    const auto next = world.cat->next_try(world.now);
    BOOST_TEST_REQUIRE(next.has_value());
    BOOST_TEST((*next == world.now + 1s));
    world.now = *next;
    world.cat->try_first_probe(world.now, {.program = &world.program});
    BOOST_TEST(world.prober->probes == 1);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_failure_of_an_earlier_run_is_told_once_whoever_remembers_it_later) {
    for (const bool remembered : {true, false}) {
        CatWorld world(kMemCheck);
        if (remembered)
            world.cat->restore_failed("before");
        world.see(Verdict::success);
        BOOST_TEST((world.events == (remembered ? std::vector{Event::resolved} : std::vector<Event>{})));
        for (int i = 0; i < 2; ++i)
            world.cat->restore_failed("before");
        BOOST_TEST((world.events == std::vector{Event::resolved}));
        BOOST_TEST(world.state() == "healthy");
    }
}

BOOST_AUTO_TEST_CASE(failures_fire_at_the_threshold_once_and_success_resolves) {
    CatWorld world(kMemCheck);
    world.see(Verdict::failure, 2);
    BOOST_TEST(world.events.empty());
    BOOST_TEST(world.state() == "failing");
    BOOST_TEST(world.first_failures == 1);
    world.see(Verdict::failure);
    BOOST_TEST((world.events == std::vector{Event::fired}));
    BOOST_TEST(world.last == "failure");
    world.see(Verdict::success);
    BOOST_TEST((world.events == std::vector{Event::fired, Event::resolved}));
    BOOST_TEST(world.state() == "healthy");
    BOOST_TEST(world.cat->last_verdicts().size() == 4U);
}

BOOST_AUTO_TEST_CASE(a_verdict_about_a_process_that_has_ended_is_not_counted) {
    CatWorld world(kMemCheck, 1);
    BOOST_TEST_REQUIRE(world.tick());
    world.start_program(101);
    world.answer(Verdict::failure);
    BOOST_TEST(world.events.empty());
    BOOST_TEST(world.cat->counters().probes == 0U);
    BOOST_TEST(world.prober->tracked.pid == 101);
}

BOOST_AUTO_TEST_CASE(a_new_process_voids_what_was_counted_and_has_its_initial_delay) {
    CatWorld world(kMemCheck, 3, 10s);
    world.tick(10s);
    world.answer(Verdict::failure);
    world.see(Verdict::failure);
    world.start_program(101);
    BOOST_TEST(world.state() == "starting");
    BOOST_TEST(world.cat->threshold().failures() == 0U);
    BOOST_TEST(!world.tick(9s));
    BOOST_TEST(world.tick(1s));
}

BOOST_AUTO_TEST_CASE(restarts_are_told_with_the_next_probe_and_again_when_its_verdict_did_not_come) {
    CatWorld world(kRestartCheck, 10);
    world.see(Verdict::success);
    world.start_program(101);
    world.start_program(102);
    BOOST_TEST_REQUIRE(world.tick());
    BOOST_TEST(world.prober->asked.restarts == 2U);
    world.prober->under_way = false;
    world.prober->callbacks.on_lost(true, "killed");
    BOOST_TEST_REQUIRE(world.tick());
    BOOST_TEST(world.prober->asked.restarts == 2U);
    world.answer(Verdict::failure, 2);
    BOOST_TEST(world.cat->threshold().failures() == 2U);
    BOOST_TEST_REQUIRE(world.tick());
    BOOST_TEST(world.prober->asked.restarts == 0U);
}

BOOST_AUTO_TEST_CASE(a_lost_worker_is_unknown_and_says_nothing_about_the_program) {
    CatWorld world(kMemCheck, 1);
    BOOST_TEST_REQUIRE(world.tick());
    world.prober->under_way = false;
    world.prober->callbacks.on_lost(true, "killed by signal 9");
    BOOST_TEST(world.cat->threshold().failures() == 0U);
    BOOST_TEST(world.last == "the worker was lost: killed by signal 9");
    BOOST_TEST((world.events == std::vector{Event::unmeasurable}));
}

BOOST_AUTO_TEST_CASE(without_a_worker_it_is_unknown_unless_one_is_just_starting) {
    CatWorld world(kMemCheck, 1);
    world.prober->is_ready = false;
    BOOST_TEST(!world.tick());
    BOOST_TEST(world.events.empty());
    world.prober->why_none = "no process could be started";
    BOOST_TEST(!world.tick());
    BOOST_TEST(world.last == "there is no worker: no process could be started");
}

BOOST_AUTO_TEST_CASE(a_failure_while_supervisord_calls_it_STARTING_does_not_count) {
    CatWorld world(kHttpCheck, 1);
    world.program.state = kStarting;
    world.see(Verdict::failure);
    BOOST_TEST(world.events.empty());
    BOOST_TEST(world.state() == "idle");
    world.program.state = kRunning;
    world.see(Verdict::failure);
    BOOST_TEST((world.events == std::vector{Event::fired}));
}

BOOST_AUTO_TEST_CASE(a_pause_ends_by_its_clock_and_voids_what_was_counted_before) {
    CatWorld world(kMemCheck);
    world.see(Verdict::failure, 2);
    world.cat->pause(world.now, 60s);
    BOOST_TEST(world.cat->paused().has_value());
    BOOST_TEST(!world.tick(59s));
    BOOST_TEST(world.tick(1s));
    BOOST_TEST(!world.cat->paused().has_value());
    BOOST_TEST(world.cat->threshold().failures() == 0U);
    BOOST_TEST(!world.cat->resume());
}

BOOST_AUTO_TEST_CASE(restarts_of_a_pause_are_nobodys_business) {
    CatWorld world(kRestartCheck, 1);
    world.see(Verdict::success);
    world.cat->pause(world.now, std::nullopt);
    world.start_program(101);
    BOOST_TEST(!world.tick(1h));
    BOOST_TEST(world.cat->resume());
    BOOST_TEST_REQUIRE(world.tick());
    BOOST_TEST(world.prober->asked.restarts == 0U);
}

BOOST_AUTO_TEST_CASE(a_check_by_hand_is_answered_and_counts_only_where_a_tick_would) {
    CatWorld world(kMemCheck, 1);
    std::vector<Verdict> told;
    const auto check = [&] {
        world.cat->check_now(world.now, {.program = &world.program},
                             [&](const Report& report) { told.push_back(report.verdict); });
        if (world.prober->under_way)
            world.answer(Verdict::failure);
    };
    check();  // within the initial delay
    BOOST_TEST(world.events.empty());
    world.now += 1s;
    world.cat->pause(world.now, std::nullopt);
    check();
    BOOST_TEST(world.events.empty());
    world.cat->resume();
    check();
    BOOST_TEST((world.events == std::vector{Event::fired}));
    BOOST_TEST((told == std::vector{Verdict::failure, Verdict::failure, Verdict::failure}));
}

BOOST_AUTO_TEST_CASE(counts_of_an_earlier_life_hold_for_the_same_process_and_definition_only) {
    CatWorld world(kMemCheck);
    world.see(Verdict::failure, 2);
    const RememberedCat before = world.cat->remembered();
    const auto restored = [&](RememberedCat remembered, pid_t pid) {
        world.cat = world.make();
        world.cat->restore(remembered, "before");
        world.program.process = {pid, 1};
        world.cat->on_program_started(world.program);
        return world.cat->threshold().failures();
    };
    BOOST_TEST(restored(before, 100) == 2U);
    BOOST_TEST(restored(before, 101) == 0U);
    RememberedCat other = before;
    other.definition = "another";
    BOOST_TEST(restored(other, 100) == 0U);
}

BOOST_AUTO_TEST_CASE(restarts_that_were_not_reported_pass_to_a_successor_with_the_same_keys) {
    const auto asked_by_successor = [](bool same_keys, bool paused) {
        CatWorld world(kRestartCheck, 10);
        world.see(Verdict::success);
        world.start_program(101);
        world.see(Verdict::failure);
        if (paused)
            world.cat->pause(world.now, 1s);
        world.now += 2s;
        world.start_program(102);
        RememberedCat remembered = world.cat->remembered();
        remembered.starts_reported = world.cat->starts_reported();
        if (!same_keys)
            remembered.definition.clear();
        world.cat = world.make();
        world.cat->restore(remembered, "before");
        world.cat->on_program_started(world.program);
        world.start_program(103);
        BOOST_TEST_REQUIRE(world.tick());
        return world.prober->asked.restarts;
    };
    BOOST_TEST(asked_by_successor(true, false) == 2U);
    BOOST_TEST(asked_by_successor(false, false) == 1U);
    BOOST_TEST(asked_by_successor(true, true) == 1U);
}

BOOST_AUTO_TEST_CASE(what_people_rely_on_and_mere_counts_are_told_apart) {
    CatWorld world(kMemCheck);
    const auto begin = world.cat->revision();
    world.see(Verdict::failure);
    BOOST_TEST(world.cat->revision().deeds == begin.deeds);
    BOOST_TEST(world.cat->revision().counts == begin.counts + 1);
    world.see(Verdict::failure, 2);
    BOOST_TEST(world.cat->revision().deeds == begin.deeds + 1);
    world.cat->pause(world.now, std::nullopt);
    BOOST_TEST(world.cat->revision().deeds == begin.deeds + 2);
}

BOOST_AUTO_TEST_SUITE_END()
