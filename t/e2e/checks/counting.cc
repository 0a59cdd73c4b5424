// Restarts are counted exactly: whatever other programs do meanwhile, however short they live, and whoever
// has them started again.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <thread>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_counting)

namespace {

std::string count_cat(const std::string& name) {
    return "count: {program: " + name +
           ", type: restart, periodSeconds: 0.3, initialDelaySeconds: 0, failureThreshold: 1000, action: "
           "exec, "
           "execCmd: 'true'}\n";
}

// Starts of `name` so far, by supervisord's own log.
int spawned(const Supervisord& supervisord, const std::string& name) {
    const std::string log = supervisord.log();
    const std::string text = "spawned: '" + name + "'";
    int times = 0;
    for (std::size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1))
        ++times;
    return times;
}

int counted(const Daemon& daemon) {
    return daemon.state("count").at("failures").get<int>();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_program_that_stays_ended_hides_no_restart_of_another_one) {
    // Without a pipe to its program supervisord sees an end only when it looks, after up to a second.
    const Supervisord supervisord({{.name = "web",
                                    .command = program("crash.sh") + " 0.3",
                                    .extra = "autorestart=true\nstdout_logfile=NONE\nstderr_logfile=NONE"},
                                   {.name = "once", .command = "/bin/true", .extra = "autorestart=false"}});
    BOOST_TEST_REQUIRE(supervisord.wait_state("once", "EXITED"));
    const Daemon daemon(supervisord.url(), count_cat("web") +
                                               "other: {program: once, type: restart, periodSeconds: 0.5, "
                                               "action: exec, execCmd: 'true'}\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_log("is reached"));
    const int before = spawned(supervisord, "web") + 1;
    BOOST_TEST_REQUIRE(wait_until([&] { return spawned(supervisord, "web") >= before + 20; }, 60s));
    const int real = spawned(supervisord, "web") - before;
    const int seen = counted(daemon);
    BOOST_TEST_MESSAGE(seen << " of " << real);
    // The youngest may be on their way.
    BOOST_TEST(seen >= real - 2);
}

BOOST_AUTO_TEST_CASE(programs_that_a_reload_of_supervisord_starts_again_have_been_restarted) {
    const Supervisord supervisord(
        {{.name = "auto", .command = "/bin/sleep 1000"},
         {.name = "hand", .command = "/bin/sleep 1000", .extra = "autostart=false"}});
    BOOST_TEST(supervisord.ctl({"start", "hand"}).status == 0);
    for (const std::string name : {"auto", "hand"})
        BOOST_TEST_CONTEXT(name) {
            if (supervisord.state(name) == "STOPPED")
                supervisord.ctl({"start", name});
            const Daemon daemon(supervisord.url(), count_cat(name));
            const int stable = 3 * slower();
            BOOST_TEST_REQUIRE(daemon.wait_for_state(
                "count", [&](const auto& state) { return state["successes"] >= stable; }));
            const pid_t before = supervisord.pid("auto");
            supervisord.signal(SIGHUP);
            BOOST_TEST_REQUIRE(wait_until([&] {
                const pid_t now = supervisord.pid("auto");
                return now > 0 && now != before;
            }));
            if (name == "hand") {
                BOOST_TEST(daemon.wait_for_log("[hand] is STOPPED"));
                supervisord.ctl({"start", "hand"});
            }
            BOOST_TEST(
                daemon.wait_for_state("count", [](const auto& state) { return state["failures"] == 1; }));
            // And only by continuous running does it count as stable again.
            BOOST_TEST(daemon.state("count").at("successes") < stable);
        }
}

BOOST_AUTO_TEST_CASE(a_program_that_is_removed_and_added_again_has_been_restarted) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const Daemon daemon(supervisord.url(), count_cat("web"));
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("count", [](const auto& state) { return state["successes"] > 2; }));
    BOOST_TEST(supervisord.ctl({"stop", "web"}).status == 0);
    BOOST_TEST(supervisord.ctl({"remove", "web"}).status == 0);
    BOOST_TEST_REQUIRE(daemon.wait_for_log("supervisord has no program 'web'"));
    BOOST_TEST(supervisord.ctl({"add", "web"}).status == 0);
    BOOST_TEST(daemon.wait_for_state("count", [](const auto& state) { return state["failures"] == 1; }));
}

BOOST_AUTO_TEST_CASE(a_restart_done_here_is_no_reason_to_restart_again) {
    const Supervisord supervisord(
        {{.name = "web", .command = "/bin/sleep 1000", .extra = "autorestart=true"}});
    // A period is longer than the restart takes, so that the next check finds it done.
    const Daemon daemon(supervisord.url(),
                        "count: {program: web, type: restart, initialDelaySeconds: 0, failureThreshold: 1, "
                        "action: restart, periodSeconds: " +
                            std::to_string(0.3 * slower()) + "}\n");
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("count", [](const auto& state) { return state["successes"] > 2; }));
    for (std::size_t crashes = 1; crashes <= 2; ++crashes) {
        send_signal(supervisord.running_pid("web"), SIGKILL);
        BOOST_TEST(daemon.wait_for_log("restart done", 10s, crashes));
        BOOST_TEST(
            daemon.wait_for_log("restart dropped: healthcheckd itself has just restarted web", 10s, crashes));
        BOOST_TEST(daemon.wait_for_state("count", [](const auto& state) { return state["successes"] > 2; }));
        BOOST_TEST(daemon.count_log("restart begins") == crashes);
    }
}

BOOST_AUTO_TEST_SUITE_END()
