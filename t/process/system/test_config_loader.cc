// The configuration on a disk that hangs: how many processes may wait for it.
#include "master/files/config_loader.h"

#include "t/fixture/basics.h"
#include "t/fixture/process/hanging_file.h"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_config_loader)

namespace {

struct LoaderLab {
    // Returns the error of loading `path`; "" when it was read.
    std::string load(const std::string& path) {
        std::string error = "no callback";
        at_once = true;
        const bool begun = loader.load(path, [&](const Result<LoadedConfig>& loaded) {
            error = loaded ? "" : loaded.error().text();
            if (!at_once)
                loop.stop();
        });
        BOOST_TEST_REQUIRE(begun);
        at_once = error != "no callback";
        if (!at_once)
            loop.run();
        return error;
    }
    // Runs until `condition` holds, for 10 s at most.
    bool run_until(const std::function<bool()>& condition) {
        const TimePoint end = Clock::now() + 10s;
        Timer look(loop, [&] {
            if (condition() || Clock::now() > end)
                return loop.stop();
            look.start(20ms);
        });
        look.start(20ms);
        loop.run();
        return condition();
    }

    Loop loop;
    Spawner spawner{loop};
    ConfigLoader loader{loop, spawner, 300ms};
    bool at_once = false;  // the last callback came before load() returned
};

}  // namespace

BOOST_AUTO_TEST_CASE(no_third_process_waits_for_a_disk_that_hangs_and_reading_goes_on_after_it) {
    const HangingFile file;  // its close hangs
    LoaderLab lab;
    for (std::size_t hanging = 1; hanging <= 2; ++hanging) {
        BOOST_TEST(lab.load(file.path()).find("SIGKILL does not end it") != std::string::npos);
        BOOST_TEST(lab.spawner.children() == hanging);
    }
    BOOST_TEST(lab.load(file.path()).find("2 processes that read it earlier hang in the kernel") !=
               std::string::npos);
    BOOST_TEST(lab.at_once);
    BOOST_TEST(lab.spawner.children() == 2U);

    file.release();
    BOOST_TEST_REQUIRE(lab.run_until([&] { return lab.spawner.children() == 0; }));
    BOOST_TEST(lab.load(file.path()) == "");
}

BOOST_AUTO_TEST_SUITE_END()
