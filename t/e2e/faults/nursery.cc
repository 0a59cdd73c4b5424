// The process that workers are forked from: what it knows, and what happens without it.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/process/memory_scan.h"
#include "t/fixture/skip.h"
#include "t/fixture/slower.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <unistd.h>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_nursery)

namespace {

const std::string kNoSupervisord = "unix:///nonexistent.sock";
const std::string kCats =
    "one: {program: system, type: mem, maxMem: 1000000, periodSeconds: 0.3, action: exec, "
    "execCmd: ': commandText-4Kd2'}\n"
    "two: {program: system, type: cpu, maxCpu: 100, periodSeconds: 0.3, action: exec, "
    "execCmd: ': commandText-4Kd2'}\n";

bool healthy(const nlohmann::json& cat) {
    return cat["state"] == "healthy";
}

// Ends the worker of `one`, and returns whether another one works within `limit`.
bool next_worker_comes(Daemon& daemon, std::chrono::milliseconds limit) {
    const pid_t before = daemon.child("one [mem system]");
    BOOST_TEST_REQUIRE(before > 1);
    send_signal(before, SIGKILL);
    return wait_until(
        [&] {
            const pid_t now = daemon.child("one [mem system]");
            return now > 1 && now != before;
        },
        limit);
}

}  // namespace

BOOST_AUTO_TEST_CASE(workers_are_children_of_the_master) {
    const Daemon daemon(kNoSupervisord, kCats);
    BOOST_TEST_REQUIRE(daemon.wait_for_state("one", healthy));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("two", healthy));
    // children() are those whose parent is the daemon.
    BOOST_TEST(daemon.child("nursery") > 1);
    BOOST_TEST(daemon.child("one [mem system]") > 1);
    BOOST_TEST(daemon.child("two [cpu system]") > 1);
}

BOOST_AUTO_TEST_CASE(workers_share_a_session_of_their_own_and_no_process_group) {
    const Daemon daemon(kNoSupervisord, kCats);
    BOOST_TEST_REQUIRE(daemon.wait_for_state("one", healthy));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("two", healthy));
    const pid_t one = daemon.child("one [mem system]"), two = daemon.child("two [cpu system]");
    BOOST_TEST(::getsid(one) == daemon.child("nursery"));
    BOOST_TEST(::getsid(two) == daemon.child("nursery"));
    BOOST_TEST(::getpgid(one) == one);
    BOOST_TEST(::getpgid(two) == two);
    BOOST_TEST(::getsid(daemon.pid()) != ::getsid(one));
}

BOOST_AUTO_TEST_CASE(no_worker_and_no_nursery_knows_the_actions_and_recipients) {
    need_root("needs root, to read the memory of others");
    const Daemon daemon(
        kNoSupervisord, kCats,
        {.config_lines =
             "mail: {host: 127.0.0.1, user: a@example.org, to_list: [recipientText-9Qw1@example.org]}\n"});
    BOOST_TEST_REQUIRE(daemon.wait_for_state("one", healthy));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("two", healthy));
    const std::vector<std::string> texts{"commandText-4Kd2", "recipientText-9Qw1"};
    for (const char* title : {"nursery", "one [mem system]", "two [cpu system]"})
        BOOST_TEST(texts_in_memory(daemon.child(title), texts).empty(), title);
    BOOST_TEST(texts_in_memory(daemon.pid(), texts).size() == 2U, "the scan is blind");
}

BOOST_AUTO_TEST_CASE(a_nursery_that_is_killed_is_replaced_for_the_next_worker) {
    Daemon daemon(kNoSupervisord, kCats);
    BOOST_TEST_REQUIRE(daemon.wait_for_state("one", healthy));
    const pid_t before = daemon.child("nursery");
    BOOST_TEST_REQUIRE(before > 1);
    send_signal(before, SIGKILL);
    BOOST_TEST(daemon.wait_for_log("[nursery] ended: killed by signal 9"));
    BOOST_TEST(next_worker_comes(daemon, 20s), daemon.log());
    BOOST_TEST(daemon.wait_for_state("one", healthy));
    BOOST_TEST(daemon.child("nursery") > 1);
    BOOST_TEST(daemon.count_log("[two system]") == 1U, daemon.log());  // it became healthy, once
}

BOOST_AUTO_TEST_CASE(nurseries_that_fail_one_after_another_get_a_back_off_and_then_work) {
    Daemon daemon(kNoSupervisord, kCats);
    BOOST_TEST_REQUIRE(daemon.wait_for_state("one", healthy));
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST_REQUIRE(wait_until([&] { return daemon.child("nursery") > 1; }, 20s), daemon.log());
        send_signal(daemon.child("nursery"), SIGKILL);
        BOOST_TEST(
            wait_until([&] { return daemon.count_log("[nursery] ended: killed") == std::size_t(i + 1); }));
        if (i < 2)
            BOOST_TEST(next_worker_comes(daemon, 30s), daemon.log());
    }
    send_signal(daemon.child("two [cpu system]"), SIGKILL);
    BOOST_TEST(daemon.wait_for_log("the process that should fork it has failed; there is another in"),
               daemon.log());
    BOOST_TEST(wait_until([&] { return daemon.child("two [cpu system]") > 1; }, 30s), daemon.log());
    BOOST_TEST(daemon.wait_for_state("two", healthy));
}

BOOST_AUTO_TEST_CASE(a_nursery_that_is_frozen_is_replaced_and_costs_seconds) {
    Daemon daemon(kNoSupervisord, kCats);
    BOOST_TEST_REQUIRE(daemon.wait_for_state("one", healthy));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("two", healthy));
    const pid_t before = daemon.child("nursery");
    send_signal(before, SIGSTOP);
    BOOST_TEST(next_worker_comes(daemon, 30s), daemon.log());
    BOOST_TEST(daemon.count_log("[nursery] is ended: receive: Connection timed out") == 1U, daemon.log());
    BOOST_TEST(daemon.wait_for_state("one", healthy));
    BOOST_TEST(daemon.child("nursery") != before);
    const auto probes = daemon.state("two")["probes"].get<int>();
    BOOST_TEST(daemon.wait_for_state("two", [&](const auto& cat) { return cat["probes"] > probes + 3; }));
}

BOOST_AUTO_TEST_SUITE_END()
