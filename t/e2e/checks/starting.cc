// supervisord's STARTING is no time for a restart: startsecs is what the operator said that a start takes.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_starting)

namespace {

std::string impatient(const std::string& name, const std::string& rest) {
    return name + ": {program: web, periodSeconds: 0.2, initialDelaySeconds: 0, failureThreshold: 2, " +
           rest + "}\n";
}

bool healthy(const nlohmann::json& cat) {
    return cat["state"] == "healthy";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_program_that_takes_its_time_within_startsecs_is_not_restarted) {
    const int port = free_port();
    const TempDir dir;
    const std::string script = dir.write(
        "web.py", "import http.server, os, time\n"
                  "while not os.path.exists('" +
                      dir.file("go on") +
                      "'):\n    time.sleep(0.05)\n"
                      "http.server.test(http.server.SimpleHTTPRequestHandler, bind='127.0.0.1', port=" +
                      std::to_string(port) + ")\n");
    const Supervisord supervisord({{.name = "web",
                                    .command = "/usr/bin/python3 " + script,
                                    .extra = "autostart=false\nstartsecs=" + std::to_string(6 * slower())}});
    Subprocess start({"/usr/bin/supervisorctl", "-s", supervisord.url(), "start", "web"});
    BOOST_REQUIRE(supervisord.wait_state("web", "STARTING"));
    const pid_t pid = supervisord.pid("web");
    const std::string at = "host: 127.0.0.1, action: restart, port: " + std::to_string(port);
    const Daemon daemon(supervisord.url(), impatient("tcp", "type: tcp, " + at) +
                                               impatient("http", "type: http, path: /, " + at) +
                                               impatient("mem", "type: mem, maxMem: 0.1, action: email"));
    BOOST_TEST(daemon.wait_for_state(
                   "tcp", [](const auto& cat) { return cat["probes"] >= 3 && cat["state"] == "idle"; }),
               daemon.log());
    dir.write("go on", "");
    for (const char* cat : {"tcp", "http"})
        BOOST_TEST(daemon.wait_for_state(cat, healthy), daemon.log());
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "RUNNING"));
    BOOST_TEST(supervisord.pid("web") == pid);
    BOOST_TEST(daemon.count_log("restart begins") == 0U, daemon.log());
    // What is still so when it runs, counts.
    BOOST_TEST(daemon.wait_for_state("mem", [](const auto& cat) { return cat["state"] == "failed"; }),
               daemon.log());
}

BOOST_AUTO_TEST_CASE(once_it_runs_its_failures_count_and_a_restart_ends_in_running) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000", .extra = "startsecs=2"}});
    const Daemon daemon(supervisord.url(),
                        impatient("tcp", "type: tcp, host: 127.0.0.1, action: restart, port: " +
                                             std::to_string(free_port())));
    BOOST_TEST(daemon.wait_for_log("restart done: stopped pid", 30s, 2), daemon.log());
    BOOST_TEST(daemon.count_log("restart failed") == 0U, daemon.log());
}

BOOST_AUTO_TEST_CASE(a_check_that_finds_the_process_by_its_pid_file_waits_for_the_start_as_well) {
    const TempDir dir;
    const Supervisord supervisord({{.name = "web",
                                    .command = "/bin/sh -c 'echo $$ > " + dir.file("new") + "; mv " +
                                               dir.file("new") + " " + dir.file("pid") + "; exec sleep 1000'",
                                    .extra = "startsecs=6\nautostart=false"}});
    const std::string cat = impatient(
        "file", "type: mem, maxMem: 0.1, pidGet: file, pidFile: " + dir.file("pid") + ", action: restart");
    Subprocess start({"/usr/bin/supervisorctl", "-s", supervisord.url(), "start", "web"});
    BOOST_REQUIRE(supervisord.wait_state("web", "STARTING"));
    const Daemon daemon(supervisord.url(), cat);
    const pid_t pid = supervisord.pid("web");
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "RUNNING"));
    BOOST_TEST(supervisord.pid("web") == pid, daemon.log());
    BOOST_TEST(daemon.wait_for_log("restart done: stopped pid " + std::to_string(pid), 30s), daemon.log());
}

BOOST_AUTO_TEST_CASE(a_program_that_was_starting_when_supervisord_fell_silent_is_not_taken_for_well) {
    const Supervisord supervisord(
        {{.name = "web", .command = "/bin/sleep 1000", .extra = "startsecs=600\nautostart=false"}});
    Subprocess start({"/usr/bin/supervisorctl", "-s", supervisord.url(), "start", "web"});
    BOOST_REQUIRE(supervisord.wait_state("web", "STARTING"));
    const Daemon daemon(
        supervisord.url(),
        impatient("tcp", "type: tcp, host: 127.0.0.1, action: email, port: " + std::to_string(free_port())));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("tcp", [](const auto& one) { return one["state"] == "idle"; }),
                       daemon.log());
    supervisord.signal(SIGSTOP);
    BOOST_TEST(daemon.wait_for_state(
                   "tcp", [](const auto& one) { return one["state"] == "failed"; }, 40s),
               daemon.log());
    supervisord.signal(SIGCONT);
}

BOOST_AUTO_TEST_CASE(a_restart_cat_counts_the_starts_of_a_program_that_never_gets_beyond_starting) {
    const Supervisord supervisord(
        {{.name = "web", .command = "/bin/sleep 1", .extra = "startsecs=10\nstartretries=9"}});
    const Daemon daemon(supervisord.url(),
                        impatient("cat1", "type: restart, action: exec, execCmd: 'echo ran'"));
    BOOST_TEST(daemon.wait_for_log("[cat1 web] output: ran", 30s), daemon.log());
}

BOOST_AUTO_TEST_SUITE_END()
