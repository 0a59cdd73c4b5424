// A cat from which no verdict comes is unknown, whatever the reason; a master that stood still is no reason.
#include "master/cat/cat.h"
#include "master/cat/worker.h"
#include "t/fixture/basics.h"
#include "t/fixture/checks.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_silence)

namespace {

struct Silent {
    Silent() {
        auto made = std::make_shared<Config>();
        CatConfig& only = made->cats.emplace_back();
        only.name = "cat1";
        only.program = "web";
        only.set_type(kHttpCheck);
        only.period = 5s;
        only.timeout = 3s;
        only.initial_delay = 1s;
        cat = std::make_shared<Cat>(
            Cat::Context{.make_prober =
                             [this](Prober::Identity identity, Prober::Callbacks callbacks) {
                                 return std::make_unique<Worker>(context, std::move(identity),
                                                                 std::move(callbacks));
                             }},
            Prober::Identity{std::move(made), 0, "cat1", "web"},
            [this](Cat&, Event event, const Report& report) {
                events.push_back(event);
                message = report.message;
            },
            [] {});
        (void)cat->start(now);
    }
    // Ticks without anything to be said, for so long.
    void tick_for(std::chrono::seconds time) {
        for (const TimePoint end = now + time; now < end; now += 5s)
            cat->tick(now, {.pending = true});
    }

    Loop loop;
    Spawner spawner{loop};
    LayerNotes layers;
    ProcessReader processes{loop, spawner, layers, SandboxLevel::strict};
    LogRecovery logs{loop, spawner};
    WorkerContext context{loop, spawner, layers, processes, logs};
    TimePoint now = Clock::now();
    std::vector<Event> events;
    std::string message;
    std::shared_ptr<Cat> cat;
};

}  // namespace

BOOST_AUTO_TEST_CASE(without_a_verdict_for_a_period_a_probe_and_ten_seconds_it_is_unknown_and_told_once) {
    Silent silent;
    silent.tick_for(20s);  // period 5 s, probe 5 s, 10 s; and 1 s of grace
    BOOST_TEST(silent.cat->state_text() == "starting");
    silent.tick_for(10s);
    BOOST_TEST(silent.cat->state_text() == "unknown");
    BOOST_TEST(silent.message == "there was no verdict for 20 s");
    silent.tick_for(120s);
    BOOST_TEST((silent.events == std::vector<Event>{Event::unmeasurable}));
    BOOST_TEST(silent.cat->threshold().failures() == 0U);
}

BOOST_AUTO_TEST_CASE(a_master_that_stood_still_has_heard_nothing_and_blames_nobody) {
    Silent silent;
    silent.tick_for(10s);
    silent.now += 300s;
    silent.tick_for(15s);
    BOOST_TEST(silent.cat->state_text() == "starting");
    BOOST_TEST(silent.events.empty());
}

BOOST_AUTO_TEST_CASE(a_pause_is_no_silence) {
    Silent silent;
    silent.cat->pause(silent.now, std::nullopt);
    silent.tick_for(120s);
    silent.cat->resume();
    silent.tick_for(15s);
    BOOST_TEST(silent.events.empty());
    BOOST_TEST(silent.cat->state_text() == "starting");
}

BOOST_AUTO_TEST_SUITE_END()
