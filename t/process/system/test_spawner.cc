// Children that do not end, and those that end by an exception.
#include "common/file/durable_file.h"
#include "master/process/spawner.h"
#include "t/fixture/process/frozen_disk.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <stdexcept>
#include <unistd.h>

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

BOOST_AUTO_TEST_CASE(a_child_that_ends_by_an_exception_says_which) {
    struct Row {
        std::function<int(pid_t)> main;
        const char* line;
    };
    for (const Row& row :
         {Row{[](pid_t) -> int { throw std::runtime_error("no\nmemory"); }, "broken msg=no\\x0Amemory\n"},
          Row{[](pid_t) -> int { throw 1; }, "broken msg=an exception of an unknown type\n"}}) {
        Loop loop;
        Spawner spawner(loop);
        ChildSpec spec;
        spec.main = row.main;
        std::string how;
        const auto child = spawner.spawn(spec, [&](const ChildEnd& end) {
            how = end.text();
            loop.stop();
        });
        BOOST_TEST_REQUIRE(static_cast<bool>(child));
        Timer limit(loop, [&] { loop.stop(); });
        limit.start(10s);
        loop.run();
        BOOST_TEST(how == "exit status 1");
        std::array<char, 200> text;
        const ssize_t n = ::read(child->report.get(), text.data(), text.size());
        BOOST_TEST_REQUIRE(n > 0);
        BOOST_TEST(std::string(text.data(), static_cast<std::size_t>(n)) == row.line);
    }
}

BOOST_AUTO_TEST_SUITE_END()
