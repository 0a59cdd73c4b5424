// healthcheckctl and a real healthcheckd: each command, and a daemon that is busy, frozen or stopped.
#include "t/fixture/basics.h"
#include "t/fixture/daemon/control_stub.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/slower.h"

#include <boost/test/unit_test.hpp>
#include <csignal>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_ctl)

namespace {

constexpr char kNoSupervisord[] = "unix:///nonexistent/supervisor.sock";

// Measures the machine, so that it needs no supervisord.
std::string machine_cat(const std::string& name, const std::string& max_mb = "100000000") {
    return name + ": {program: system, type: mem, maxMem: " + max_mb +
           ", periodSeconds: 0.2, initialDelaySeconds: 0, action: email}\n";
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_command_is_answered_by_a_running_daemon) {
    const Daemon daemon(kNoSupervisord, machine_cat("good") + machine_cat("bad", "1"));
    const auto ctl = [&](std::vector<std::string> arguments) {
        return healthcheckctl(daemon.socket(), std::move(arguments));
    };
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("bad", [](const auto& cat) { return cat["state"] == "failed"; }));
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("good", [](const auto& cat) { return cat["state"] == "healthy"; }));
    BOOST_TEST(ctl({"status"}).status == 1);
    BOOST_TEST(ctl({"status", "good"}).status == 0);
    BOOST_TEST(has(ctl({"status"}).output, "2 cats: 1 failed, 1 healthy; supervisord "),
               ctl({"status"}).output);
    BOOST_TEST(nlohmann::json::parse(ctl({"status", "--json"}).output)["pid"] == daemon.pid());

    const CommandResult paused = ctl({"pause", "bad", "--for", "30m"});
    BOOST_TEST(paused.status == 0);
    BOOST_TEST((has(paused.output, "paused until 2") && has(paused.output, ": bad\n")), paused.output);
    BOOST_TEST(ctl({"status"}).status == 0);
    BOOST_TEST(has(ctl({"status", "bad"}).output, "(paused until "));
    BOOST_TEST(ctl({"resume", "bad"}).output == "resumed: bad\n");
    BOOST_TEST(ctl({"resume", "bad"}).status == 1);

    BOOST_TEST(ctl({"check", "good"}).status == 0);
    const CommandResult failure = ctl({"check", "bad"});
    BOOST_TEST(failure.status == 1);
    BOOST_TEST(failure.output.starts_with("bad: failure: "), failure.output);
    const CommandResult plan = ctl({"test-action", "bad", "--dry-run"});
    BOOST_TEST(plan.status == 0);
    BOOST_TEST(has(plan.output, "  would "), plan.output);
    const CommandResult history = ctl({"history", "bad"});
    BOOST_TEST(history.status == 0);
    BOOST_TEST(has(history.output, "  failure  "), history.output);
    const CommandResult reload = ctl({"reload"});
    BOOST_TEST(reload.status == 0);
    BOOST_TEST(has(reload.output, "unchanged: 2\n"), reload.output);
    const CommandResult absent = ctl({"history", "godo"});
    BOOST_TEST(absent.status == 1);
    BOOST_TEST(has(absent.output, "did you mean 'good'?"), absent.output);
}

BOOST_AUTO_TEST_CASE(a_daemon_that_is_busy_with_200_cats_answers_soon) {
    std::string cats;
    for (int i = 0; i < 200; ++i)
        cats += machine_cat("cat" + std::to_string(i));
    const Daemon daemon(kNoSupervisord, cats);
    CommandResult status;
    BOOST_TEST_REQUIRE(wait_until(
        [&] {
            status = healthcheckctl(daemon.socket(), {"status"});
            return has(status.output, "200 cats: 200 healthy");
        },
        60s));
    BOOST_TEST(status.status == 0);
    const auto start = std::chrono::steady_clock::now();
    BOOST_TEST(healthcheckctl(daemon.socket(), {"status"}).status == 0);
    BOOST_TEST((std::chrono::steady_clock::now() - start < 5s * slower()));
}

BOOST_AUTO_TEST_CASE(a_daemon_that_is_frozen_or_stopped_ends_status_with_2) {
    Daemon daemon(kNoSupervisord, machine_cat("cat1"));
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("cat1", [](const auto& cat) { return cat["state"] == "healthy"; }));
    daemon.signal(SIGSTOP);
    const CommandResult frozen = healthcheckctl(daemon.socket(), {"status"});
    daemon.signal(SIGCONT);
    BOOST_TEST(frozen.status == 2);
    BOOST_TEST(has(frozen.output, "nothing came for 5 s"), frozen.output);
    BOOST_TEST(healthcheckctl(daemon.socket(), {"status"}).status == 0);
    daemon.stop();
    const CommandResult stopped = healthcheckctl(daemon.socket(), {"status"});
    BOOST_TEST(stopped.status == 2);
    BOOST_TEST(has(stopped.output, "It does not run"), stopped.output);
}

BOOST_AUTO_TEST_SUITE_END()
