// Two healthcheckd at once would carry out every action twice: the second one ends, and says who the first
// is.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/process/frozen_disk.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <sysexits.h>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_two_daemons)

namespace {

constexpr char kCat[] =
    "one: {program: system, type: mem, maxMem: 100000000, periodSeconds: 0.3, action: email}\n";
constexpr char kNobody[] = "http://127.0.0.1:1/RPC2";

bool probed(const nlohmann::json& cat) {
    return cat["probes"] >= 1;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_second_one_with_the_same_state_or_the_same_socket_ends_and_says_who_has_it) {
    const Daemon first(kNobody, kCat);
    BOOST_TEST_REQUIRE(first.wait_for_state("one", probed), first.log());
    for (const DaemonOptions& options :
         {DaemonOptions{.state_dir = first.state_dir()}, DaemonOptions{.socket = first.socket()}}) {
        Daemon second(kNobody, kCat, options);
        BOOST_TEST(second.wait_end(0, 15s).status == EX_TEMPFAIL, second.log());
        BOOST_TEST(second.wait_for_log("another healthcheckd (pid " + std::to_string(first.pid()) +
                                       ") has the " + (options.socket.empty() ? "stateDir" : "socket") + " "),
                   second.log());
        BOOST_TEST(second.count_log("watches 1 cats") == 0U);
    }
    BOOST_TEST(first.state("one")["probes"] >= 1);
}

BOOST_AUTO_TEST_CASE(one_that_was_killed_leaves_no_lock_and_one_that_ends_is_waited_for) {
    for (const int signal : {SIGKILL, SIGTERM}) {
        Daemon first(kNobody, kCat);
        BOOST_TEST_REQUIRE(first.wait_for_state("one", probed), first.log());
        const Daemon second(kNobody, kCat, {.state_dir = first.state_dir()});
        first.signal(signal);
        BOOST_TEST(second.wait_for_state("one", probed), second.log());
    }
}

BOOST_AUTO_TEST_CASE(a_look_once_and_a_check_of_the_file_are_done_beside_a_daemon) {
    const Daemon daemon(kNobody, kCat);
    BOOST_TEST_REQUIRE(daemon.wait_for_state("one", probed), daemon.log());
    for (const char* option : {"-t", "-T", "-o"})
        BOOST_TEST(run_command({healthcheckd_binary(), option, "-c", daemon.config_file()}).status == 0,
                   option);
}

BOOST_AUTO_TEST_CASE(a_folder_that_takes_no_lock_keeps_nobody_from_watching) {
    const TempDir dir;
    std::filesystem::create_directories(dir.file("healthcheckd.lock"));
    const Daemon daemon(kNobody, kCat, {.state_dir = dir.path()});
    BOOST_TEST(daemon.wait_for_log("another healthcheckd with the same stateDir"), daemon.log());
    BOOST_TEST(daemon.wait_for_log("watches 1 cats"), daemon.log());
}

BOOST_AUTO_TEST_CASE(a_state_disk_that_hangs_takes_the_lock_of_the_socket_from_nobody) {
    const FrozenDisk disk;
    const Daemon first(kNobody, kCat, {.state_dir = disk.dir() + "/state"});
    BOOST_TEST_REQUIRE(first.wait_for_state("one", probed), first.log());
    disk.freeze();
    Daemon second(kNobody, kCat, {.state_dir = first.state_dir(), .socket = first.socket()});
    BOOST_TEST(second.wait_end(0, 30s).status == EX_TEMPFAIL, second.log());
    BOOST_TEST(second.count_log("same stateDir " + first.state_dir() + " would not be noticed: its disk") ==
               1U);
    BOOST_TEST(second.count_log("would not be noticed") == 1U);
    BOOST_TEST(second.count_log("another healthcheckd (pid " + std::to_string(first.pid()) +
                                ") has the socket ") == 1U,
               second.log());
    BOOST_TEST(second.count_log("watches 1 cats") == 0U);
    disk.thaw();
}

BOOST_AUTO_TEST_CASE(the_second_one_ends_when_no_lock_can_be_taken_and_the_first_one_answers) {
    const FrozenDisk disk;
    const std::string state = disk.dir() + "/state", socket = disk.dir() + "/run/healthcheckd.sock";
    const Daemon first(kNobody, kCat, {.state_dir = state, .socket = socket});
    BOOST_TEST_REQUIRE(first.wait_for_state("one", probed), first.log());
    BOOST_TEST_REQUIRE(wait_until([&] { return std::filesystem::exists(socket); }));
    disk.freeze();
    Daemon second(kNobody, kCat, {.state_dir = state, .socket = socket});
    BOOST_TEST(second.wait_end(0, 30s).status == EX_TEMPFAIL, second.log());
    BOOST_TEST(second.count_log("would not be noticed") == 2U);
    BOOST_TEST(second.count_log("another healthcheckd answers at " + socket) == 1U, second.log());
    BOOST_TEST(second.count_log("watches 1 cats") == 0U);
    disk.thaw();
}

BOOST_AUTO_TEST_SUITE_END()
