// A disk below logDir that hangs: checks, actions and healthcheckctl go on, and the logs come back with it.
#include "t/fixture/daemon/control_stub.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/net/web_server.h"
#include "t/fixture/process/frozen_disk.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_frozen_log)

namespace {

std::string cats(int port, const std::string& mark) {
    const std::string fast =
        "periodSeconds: 0.5, initialDelaySeconds: 0, timeoutSeconds: 1, failureThreshold: 3, ";
    return "a: {program: system, type: mem, maxMem: 100000000, action: email, " + fast + "}\n" +
           "b: {program: web, type: mem, maxMem: 5000, action: kill, " + fast + "}\n" +
           "c: {program: web, type: tcp, host: 127.0.0.1, port: " + std::to_string(port) +
           ", action: exec, execCmd: 'date > " + mark + "', " + fast + "}\n";
}

bool all_of(const Daemon& daemon, const std::function<bool(const nlohmann::json&)>& condition) {
    const auto state = daemon.state();
    return std::ranges::all_of(state["cats"], condition);
}

bool success(const nlohmann::json& cat) {
    return cat["lastProbe"].is_object() && cat["lastProbe"]["verdict"] == "success";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_log_disk_that_hangs_ends_no_check_and_no_action_and_is_told) {
    const FrozenDisk disk;
    const TempDir dir;
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    auto server = std::make_unique<WebServer>();
    Daemon daemon(supervisord.url(), cats(server->port(), dir.file("mark")),
                  {.log_dir = disk.dir() + "/log"});
    BOOST_TEST_REQUIRE(wait_until([&] { return all_of(daemon, success); }, 20s));

    disk.freeze();
    // Each worker hangs in its next line, is replaced at the deadline of the probe that it does not take, and
    // its successor probes without a log.
    BOOST_TEST(daemon.wait_for_log("its log seems to hang,", 30s, 3));
    BOOST_TEST(wait_until(
        [&] { return all_of(daemon, [](auto& cat) { return cat["worker"]["spawns"] >= 2; }); }, 20s));
    BOOST_TEST(wait_until([&] { return all_of(daemon, success); }, 20s));
    const auto status = healthcheckctl(daemon.socket(), {"status"});
    BOOST_TEST(status.status == 0, status.output);
    const auto check = healthcheckctl(daemon.socket(), {"check", "a"});
    BOOST_TEST(check.status == 0, check.output);
    server.reset();
    BOOST_TEST(wait_until([&] { return std::filesystem::exists(dir.file("mark")); }, 15s));
    const auto spawns = daemon.state("a")["worker"]["spawns"];

    disk.thaw();
    BOOST_TEST(daemon.wait_for_log("its log is written again", 20s, 3));
    BOOST_TEST(wait_until(
        [&] { return daemon.cat_log("a").find("this log can be written again") != std::string::npos; }));
    BOOST_TEST(wait_until([&] {
        return daemon.cat_log("a").find("lines were lost while this log could not be written") !=
               std::string::npos;
    }));
    BOOST_TEST(daemon.state("a")["worker"]["spawns"] == spawns);
    BOOST_TEST(daemon.count_log("its log seems to hang,") == 3U);
}

// The logs may have been moved after the child that hangs opened its first one.
BOOST_AUTO_TEST_CASE(a_request_to_reopen_the_logs_while_they_are_reopened_is_carried_out_after_that) {
    const FrozenDisk disk;
    const Daemon daemon(
        "unix:///nonexistent/supervisor.sock",
        "a: {program: system, type: mem, maxMem: 100000000, action: email, periodSeconds: 1000, "
        "initialDelaySeconds: 1000}\n",
        {.log_dir = disk.dir() + "/log"});
    BOOST_TEST_REQUIRE(wait_until([&] { return std::filesystem::exists(disk.dir() + "/log/a.log"); }));
    std::filesystem::rename(disk.dir() + "/log/a.log",
                            disk.dir() + "/log/a.log.1");  // a new one is to be made
    disk.freeze();
    daemon.signal(SIGUSR2);
    BOOST_TEST_REQUIRE(wait_until([&] { return daemon.child("healthcheckd: log files") > 0; }));
    for (int i = 0; i < 3; ++i) {
        daemon.signal(SIGUSR2);
        BOOST_TEST(healthcheckctl(daemon.socket(), {"status"}).status !=
                   2);  // the signal has been taken before
    }
    BOOST_TEST(daemon.count_log("log files reopened") == 0u);
    disk.thaw();
    BOOST_TEST(daemon.wait_for_log("log files reopened", 10s, 2), daemon.log());
    BOOST_TEST(stays([&] { return daemon.count_log("log files reopened") == 2u; }, 500ms));
}

// What is known of a disk does not end with the cat's configuration.
BOOST_AUTO_TEST_CASE(a_reload_while_a_log_disk_hangs_blinds_no_changed_check_and_leaves_no_more_workers) {
    const FrozenDisk disk;
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const auto one = [](int most) {
        return "a: {program: system, type: mem, maxMem: " + std::to_string(most) +
               ", action: email, periodSeconds: 0.5, initialDelaySeconds: 0}\n";
    };
    Daemon daemon(supervisord.url(), one(100'000'000), {.log_dir = disk.dir() + "/log"});
    BOOST_TEST_REQUIRE(wait_until([&] { return all_of(daemon, success); }, 20s));
    disk.freeze();
    BOOST_TEST_REQUIRE(daemon.wait_for_log("its log seems to hang,", 30s));
    BOOST_TEST(wait_until([&] { return daemon.state("a")["worker"]["spawns"] >= 2; }, 20s));
    // Often enough to see that no worker of a new configuration hangs, and how many of the old one are left.
    for (std::size_t n = 1; n <= 6; ++n) {
        daemon.set_cats(one(100'000'000 + static_cast<int>(n)));
        daemon.signal(SIGHUP);
        BOOST_TEST_REQUIRE(daemon.wait_for_log("configuration reloaded: ", 20s, n));
        BOOST_TEST(wait_until([&] { return all_of(daemon, success); }, 3s), daemon.log());
    }
    BOOST_TEST(!daemon.wait_for_log("its log seems to hang,", 8s, 2), daemon.log());
    disk.thaw();
    BOOST_TEST(daemon.wait_for_log("its log is written again", 20s));
}

BOOST_AUTO_TEST_CASE(a_log_disk_that_hangs_from_the_start_or_at_the_end_does_not_hold_up_either) {
    const FrozenDisk disk;
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const WebServer server;
    const std::string log_dir = disk.dir() + "/log";
    std::filesystem::create_directory(log_dir);
    disk.freeze();
    Daemon daemon(supervisord.url(), cats(server.port(), "/dev/null"), {.log_dir = log_dir});
    BOOST_TEST(wait_until([&] { return all_of(daemon, success); }, 30s));
    const auto stopped = daemon.stop();
    BOOST_TEST(stopped.status == 0);
    BOOST_TEST(stopped.took.count() < 3000 * slower());
    disk.thaw();
}

BOOST_AUTO_TEST_SUITE_END()
