// The rotation of a log: which file becomes which.
#include "master/files/log_files_child.h"

#include "t/fixture/basics.h"
#include "t/fixture/process/forked.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <string>

using namespace healthcheckd::master;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_log_rotation)

namespace {

using Files = std::map<std::string, std::string>;  // text by name

// Returns the files in the folder of "log" after a rotation.
Files rotated(const Files& before, const Rotation& rotation) {
    const TempDir dir;
    for (const auto& [name, text] : before)
        dir.write(name, text);
    Forked child([&](pid_t) { return run_renew_logs({{.path = dir.file("log")}}, rotation); });
    BOOST_TEST(child.end() == "exit 0");
    Files after;
    for (const auto& entry : std::filesystem::directory_iterator(dir.path()))
        after[entry.path().filename()] = read_file(entry.path());
    return after;
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_file_becomes_the_next_one_and_the_oldest_goes) {
    BOOST_TEST((rotated({{"log", "0"}}, {.backups = 3}) == Files{{"log", ""}, {"log.1", "0"}}));
    BOOST_TEST((rotated({{"log", "0"}, {"log.1", "1"}, {"log.2", "2"}, {"log.3", "3"}}, {.backups = 3}) ==
                Files{{"log", ""}, {"log.1", "0"}, {"log.2", "1"}, {"log.3", "2"}}));
    BOOST_TEST(
        (rotated({{"log", "0"}, {"log.1", "1"}}, {.backups = 1}) == Files{{"log", ""}, {"log.1", "0"}}));
    BOOST_TEST((rotated({{"log", "0"}}, {.backups = 0}) == Files{{"log", ""}}));
}

BOOST_AUTO_TEST_CASE(a_gap_that_a_killed_rotation_left_is_filled_and_no_file_behind_it_is_lost) {
    BOOST_TEST((rotated({{"log", "0"}, {"log.1", "1"}, {"log.3", "3"}}, {.backups = 3}) ==
                Files{{"log", ""}, {"log.1", "0"}, {"log.2", "1"}, {"log.3", "3"}}));
    BOOST_TEST((rotated({{"log", "0"}, {"log.2", "2"}, {"log.3", "3"}}, {.backups = 3}) ==
                Files{{"log", ""}, {"log.1", "0"}, {"log.2", "2"}, {"log.3", "3"}}));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_smaller_than_its_limit_stays) {
    BOOST_TEST((rotated({{"log", "12345"}}, {.backups = 3, .from_bytes = 6}) == Files{{"log", "12345"}}));
    BOOST_TEST((rotated({{"log", "123456"}}, {.backups = 3, .from_bytes = 6}) ==
                Files{{"log", ""}, {"log.1", "123456"}}));
}

BOOST_AUTO_TEST_SUITE_END()
