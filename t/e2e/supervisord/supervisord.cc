// supervisord in its moods: programs stopped by people, missing, passwords wrong, supervisord away.
#include "t/fixture/supervisord/supervisord.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/slower.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_supervisord)

BOOST_AUTO_TEST_CASE(a_program_that_an_operator_stopped_is_never_started) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Daemon daemon(supervisord.url(), "cat4: {program: web, type: tcp, host: 127.0.0.1, periodSeconds: 0.2, "
                                     "failureThreshold: 1000, action: restart, port: " +
                                         std::to_string(free_port()) + "}\n");
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("cat4", [](const auto& state) { return state["failures"] >= 1; }));
    BOOST_TEST(supervisord.ctl({"stop", "web"}).status == 0);
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("cat4", [](const auto& state) { return state["state"] == "idle"; }));
    const auto probes = daemon.state("cat4")["probes"].get<int>();
    BOOST_TEST(
        daemon.wait_for_state("cat4", [&](const auto& state) { return state["probes"] > probes + 10; }));
    BOOST_TEST(daemon.state("cat4")["failures"] == 0);
    BOOST_TEST(supervisord.state("web") == "STOPPED");
    BOOST_TEST(daemon.count_log("restart begins") == 0U);
}

BOOST_AUTO_TEST_CASE(a_missing_program_is_said_once_and_nothing_is_done) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}},
                                  {.raw = "[program:pool]\ncommand=/bin/sleep 1000\nnumprocs=2\nstartsecs=0\n"
                                          "process_name=%(program_name)s_%(process_num)02d\n"});
    Daemon daemon(supervisord.url(), R"(
gone: {program: nobody-has-it, type: mem, periodSeconds: 0.2, failureThreshold: 2, action: restart}
bare: {program: pool_00, type: mem, periodSeconds: 0.2, failureThreshold: 2, action: restart}
group: {program: pool, type: mem, periodSeconds: 0.2, action: restart}
full: {program: 'pool:pool_01', type: mem, periodSeconds: 0.2, action: restart}
)");
    BOOST_TEST(daemon.wait_for_log("supervisord has no program 'nobody-has-it'"));
    BOOST_TEST(daemon.wait_for_log("it has pool:pool_00: use the full name"));
    BOOST_TEST(daemon.wait_for_log("it is a group: pool:* means each of its members"));
    BOOST_TEST(daemon.wait_for_state("gone", [](const auto& state) { return state["state"] == "unknown"; }));
    BOOST_TEST(daemon.wait_for_state("full", [](const auto& state) { return state["state"] == "healthy"; }));
    BOOST_TEST(daemon.running());
    BOOST_TEST(daemon.count_log("restart begins") == 0U);
    const auto probes = daemon.state("gone")["probes"].get<int>();
    BOOST_TEST(
        daemon.wait_for_state("gone", [&](const auto& state) { return state["probes"] > probes + 5; }));
    BOOST_TEST(daemon.count_log("error [gone") <= 1U);
    BOOST_TEST(daemon.count_log("warning [gone") <= 1U);
}

BOOST_AUTO_TEST_CASE(a_wrong_password_is_said_and_nothing_is_done) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}},
                                  {.user = "ops", .pass = "right-one", .http = true});
    const std::string cats =
        "web: {program: web, type: mem, maxMem: 0.1, periodSeconds: 0.2, action: restart}\n";
    for (const std::string& url : {supervisord.url(), supervisord.http_url()}) {
        const pid_t pid = supervisord.pid("web");
        Daemon daemon(url, cats, {.config_lines = "supervisordUser: ops\nsupervisordPass: wrong-one"});
        BOOST_TEST(daemon.wait_for_log("supervisordPass"));
        BOOST_TEST(
            daemon.wait_for_state("web", [](const auto& state) { return state["state"] == "unknown"; }));
        BOOST_TEST(daemon.running());
        BOOST_TEST(daemon.log().find("wrong-one") == std::string::npos);
        BOOST_TEST(daemon.count_log("restart begins") == 0U);
        BOOST_TEST(supervisord.pid("web") == pid);
    }
    const pid_t pid = supervisord.pid("web");
    const Daemon daemon(supervisord.http_url(), cats,
                        {.config_lines = "supervisordUser: ops\nsupervisordPass: right-one"});
    BOOST_TEST(daemon.wait_for_log("restart done"));
    BOOST_TEST(supervisord.pid("web") != pid);
}

BOOST_AUTO_TEST_CASE(it_starts_without_supervisord_and_goes_on_when_that_comes) {
    Supervisord supervisord({{.name = "web", .command = program("leak.py") + " 10 0.1 200"}});
    supervisord.down();
    Daemon daemon(supervisord.url(),
                  "web: {program: web, type: mem, maxMem: 60, periodSeconds: 0.3, action: restart}\n");
    BOOST_TEST(daemon.wait_for_state("web", [](const auto& state) { return state["state"] == "unknown"; }));
    BOOST_TEST(daemon.wait_for_log("nothing can be said about its programs until it answers"));
    BOOST_TEST(daemon.count_log("begins") == 0U);
    supervisord.up();
    BOOST_TEST(daemon.wait_for_log("is reached", 5s));
    BOOST_TEST(daemon.wait_for_log("restart done"));
}

BOOST_AUTO_TEST_CASE(known_programs_are_probed_while_supervisord_is_frozen_and_all_goes_on_after) {
    const Supervisord supervisord({{.name = "web", .command = program("leak.py") + " 60 1 60"}});
    // Time to freeze supervisord between the first failure and the fifth.
    const std::string often =
        "program: web, type: mem, maxMem: 30, periodSeconds: " + std::to_string(0.3 * slower());
    Daemon daemon(supervisord.url(), "web: {" + often + ", failureThreshold: 5, action: restart}\n" +
                                         "note: {" + often + ", action: exec, execCmd: 'echo noted'}\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_state("web", [](const auto& state) { return state["failures"] > 0; }));
    supervisord.signal(SIGSTOP);
    const auto probes = daemon.state("web")["probes"].get<int>();
    BOOST_TEST(daemon.wait_for_state("web", [&](const auto& state) { return state["probes"] > probes + 5; }));
    BOOST_TEST(daemon.wait_for_log("output: noted"));
    supervisord.signal(SIGCONT);
    BOOST_TEST(daemon.wait_for_log("restart done"));
    BOOST_TEST(daemon.running());
}

BOOST_AUTO_TEST_CASE(it_follows_a_supervisord_that_is_restarted) {
    Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Daemon daemon(supervisord.url(), "web: {program: web, type: mem, periodSeconds: 0.3, action: restart}\n");
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("web", [](const auto& state) { return state["state"] == "healthy"; }));
    supervisord.restart();
    const pid_t pid = supervisord.pid("web");
    BOOST_TEST(daemon.wait_for_state(
        "web", [&](const auto& state) { return state["pid"] == pid; }, 10s));
    BOOST_TEST(daemon.count_log("begins") == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
