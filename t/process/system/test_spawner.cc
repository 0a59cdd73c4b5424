// Children that end by an exception.
#include "master/process/spawner.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <stdexcept>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_spawner)

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
