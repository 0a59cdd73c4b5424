// Children that do not end.
#include "common/file/durable_file.h"
#include "master/process/spawner.h"
#include "t/fixture/process/frozen_disk.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_spawner)

BOOST_AUTO_TEST_CASE(a_child_that_its_limit_does_not_end_is_not_waited_for_and_reaped_when_it_can_be) {
    const FrozenDisk disk;
    Loop loop;
    Spawner spawner(loop);
    disk.freeze();
    ChildSpec spec;
    spec.limit = 100ms;
    spec.main = [&](pid_t) {
        return place_file(disk.dir(), "file", "text", 0600) ? 0 : 1;
    };
    int ends = 0;
    std::string how;
    const auto child = spawner.spawn(spec, [&](const ChildEnd& end) {
        ++ends;
        how = end.text();
        loop.stop();
    });
    BOOST_TEST_REQUIRE(static_cast<bool>(child));
    Timer limit(loop, [&] { loop.stop(); });
    limit.start(10s);
    loop.run();
    BOOST_TEST(ends == 1);
    BOOST_TEST(how == "killed by signal 9 (Killed)");
    BOOST_TEST(spawner.children() == 1U);
    disk.thaw();
    Timer look(loop, [&] {
        if (spawner.children() == 0)
            loop.stop();
        look.start(20ms);
    });
    look.start(20ms);
    loop.run();
    BOOST_TEST(spawner.children() == 0U);
    BOOST_TEST(ends == 1);
}

BOOST_AUTO_TEST_SUITE_END()
