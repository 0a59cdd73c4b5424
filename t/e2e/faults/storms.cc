// Many signals, many ends at once, and children that healthcheckd never started.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/slower.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_faults_storms)

namespace {

constexpr char kNoSupervisord[] = "unix:///nonexistent/supervisor.sock";

std::string cats(int count) {
    std::string text;
    for (int i = 0; i < count; ++i)
        text += "cat" + std::to_string(i) +
                ": {program: system, type: mem, maxMem: 100000000, periodSeconds: 0.5, action: email}\n";
    return text;
}

bool healthy(const nlohmann::json& cat) {
    return cat["state"] == "healthy";
}

bool has_zombie(const Daemon& daemon) {
    const auto all = daemon.children();
    return std::any_of(all.begin(), all.end(), [](const auto& one) { return one.state == 'Z'; });
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_thousand_signals_of_each_kind_change_nothing) {
    Daemon daemon(kNoSupervisord, cats(2));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("cat0", healthy));
    for (const int number : {SIGHUP, SIGUSR1, SIGUSR2}) {
        for (int i = 0; i < 1000; ++i)
            send_signal(daemon.pid(), number);
        BOOST_TEST(daemon.running());
    }
    const auto probes = daemon.state("cat1")["probes"].get<int>();
    BOOST_TEST(daemon.wait_for_state(
        "cat1", [&](const auto& cat) { return cat["probes"] > probes + 3 && cat["state"] == "healthy"; }));
    // All that the signals asked for has been done or given up, and its processes are gone.
    // The nursery, two workers, the link and its connector.
    BOOST_TEST(wait_until([&] { return daemon.children().size() == 5 && !has_zombie(daemon); }, 20s));
    BOOST_TEST(daemon.count_log("was lost") == 0U);
}

BOOST_AUTO_TEST_CASE(a_thousand_signals_to_stop_are_one) {
    Daemon daemon(kNoSupervisord, cats(20));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("cat19", healthy));
    const auto children = daemon.children();
    for (int i = 0; i < 1000; ++i)
        send_signal(daemon.pid(), i % 3 == 0 ? SIGTERM : i % 3 == 1 ? SIGINT : SIGQUIT);
    const auto stopped = daemon.wait_end(0);
    BOOST_TEST(stopped.status == 0);
    BOOST_TEST(stopped.took.count() < 3000 * slower());
    BOOST_TEST(daemon.count_log("stopping on SIG") == 1U);
    for (const auto& child : children)
        BOOST_TEST(!alive(child.pid), child.title << " is left");
}

BOOST_AUTO_TEST_CASE(a_hundred_workers_that_end_at_once_are_all_noticed_and_replaced) {
    constexpr int kCats = 100;
    Daemon daemon(kNoSupervisord, cats(kCats));
    const auto workers = [&] {
        std::vector<pid_t> pids;
        for (const auto& child : daemon.children())
            if (child.state != 'Z' && child.title.find("[mem system]") != std::string::npos)
                pids.push_back(child.pid);
        return pids;
    };
    BOOST_TEST_REQUIRE(wait_until([&] { return workers().size() == kCats; }, 30s));
    const auto all_with = [&](int spawns) {
        const auto state = daemon.state();
        return std::all_of(state["cats"].begin(), state["cats"].end(), [&](const auto& cat) {
            return healthy(cat) && cat["worker"]["spawns"] == spawns;
        });
    };
    BOOST_TEST_REQUIRE(wait_until([&] { return all_with(1); }, 60s));
    for (const pid_t pid : workers())
        send_signal(pid, SIGKILL);
    BOOST_TEST(wait_until([&] { return all_with(2); }, 60s));
    BOOST_TEST(daemon.count_log("the worker (pid ") == static_cast<std::size_t>(kCats));
    BOOST_TEST(wait_until([&] { return !has_zombie(daemon); }));
}

BOOST_AUTO_TEST_CASE(children_that_were_not_started_here_are_reaped_and_logged) {
    // The shell becomes healthcheckd, which so has two children that it does not know: one that has ended
    // long before, and one that ends later.
    const Daemon daemon(kNoSupervisord, cats(1),
                        {.wrapper = {"/bin/sh", "-c", "true & sleep 3 & exec \"$@\"", "sh"}});
    BOOST_TEST(daemon.wait_for_log(", a child that was not started here", 20s, 2));
    BOOST_TEST(daemon.wait_for_state("cat0", healthy));
    BOOST_TEST(wait_until([&] { return !has_zombie(daemon); }));
}

BOOST_AUTO_TEST_SUITE_END()
