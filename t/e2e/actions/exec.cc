// Commands of exec: what they get, what is shown of them, and that none outlives healthcheckd.
#include "master/action/cgroup.h"
#include "t/fixture/daemon/control_stub.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/skip.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <charconv>
#include <csignal>
#include <filesystem>

using namespace healthcheckd::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(e2e_exec)

namespace {

// Of the program of its name. It is refused, so that its action begins at once.
std::string failing_cat(const std::string& name, const std::string& keys) {
    return name + ": {program: " + name +
           ", type: tcp, host: 127.0.0.1, port: " + std::to_string(free_port()) +
           ", periodSeconds: 0.2, initialDelaySeconds: 0, failureThreshold: 1, " + keys + "}\n";
}

pid_t pid_in(const std::string& file) {
    const std::string text = read_file(file);
    pid_t pid = 0;
    std::from_chars(text.data(), text.data() + text.size(), pid);
    return text.ends_with('\n') ? pid : 0;
}

// Of the command of the action with this process, whether there is one or not.
fs::path cgroup_of(pid_t action) {
    return fs::path(healthcheckd::master::CommandCgroup::folder()) /
           ("healthcheckd-command-" + std::to_string(action));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_command_has_the_limits_that_healthcheckd_was_started_with) {
    const Supervisord supervisord({{.name = "cat1", .command = "/bin/sleep 1000"}});
    const TempDir dir;
    const Daemon daemon(
        supervisord.url(),
        failing_cat("cat1", "action: exec, execCmd: 'cat /proc/self/limits > " + dir.file("new") + "; mv " +
                                dir.file("new") + " " + dir.file("after") + "'"),
        {.wrapper = {"/bin/sh", "-c",
                     "ulimit -Sn 300; cat /proc/self/limits > " + dir.file("before") + "; exec \"$@\"",
                     "sh"}});
    BOOST_TEST_REQUIRE(wait_until([&] { return fs::exists(dir.file("after")); }));
    BOOST_TEST(read_file(dir.file("before")).find("300") != std::string::npos);
    BOOST_TEST(read_file(dir.file("after")) == read_file(dir.file("before")));
}

BOOST_AUTO_TEST_CASE(the_text_of_a_command_is_in_nothing_that_is_written_or_told) {
    const std::string secret = "hunter2secret";
    const Supervisord supervisord({{.name = "late", .command = "/bin/sleep 1000"},
                                   {.name = "dry", .command = "/bin/sleep 1000"},
                                   {.name = "long", .command = "/bin/sleep 1000"}});
    Daemon daemon(
        supervisord.url(),
        failing_cat("late", "action: 'exec,email', execTimeoutSeconds: 0.3, execCmd: 'PGPASSWORD=" + secret +
                                " sleep 1000'") +
            failing_cat("dry", "action: 'exec,email', dryRun: yes, execCmd: 'true " + secret + "'") +
            failing_cat("long", "action: exec, execCmd: 'sleep 1000; : " + secret + "'"),
        {.arguments = {"-v"},
         .config_lines = "mail: {host: 127.0.0.1, port: " + std::to_string(free_port()) +
                         ", user: ops@test.local, to_list: [a@test.local]}"});
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[late late] exec failed: timed out after 0.3 s"));
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[dry dry] exec done: dry run, nothing was done: would run its "
                                           "execCmd"));
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[long long] exec: runs its execCmd"));
    std::string told = daemon.state().dump();
    for (const char* cat : {"late", "dry", "long"})
        told += healthcheckctl(daemon.socket(), {"test-action", cat, "--dry-run"}).output +
                healthcheckctl(daemon.socket(), {"history", cat}).output;
    BOOST_TEST(told.find("would run its execCmd for at most") != std::string::npos, told);
    BOOST_TEST(daemon.stop().status == 0);
    BOOST_TEST(daemon.log().find("exec was not finished (runs its execCmd)") != std::string::npos);
    BOOST_TEST(told.find(secret) == std::string::npos);
    BOOST_TEST(daemon.log().find(secret) == std::string::npos);
    std::size_t files = 0;
    for (const std::string& folder : {daemon.state_dir(), daemon.log_dir()})
        for (const auto& entry : fs::recursive_directory_iterator(folder))
            if (entry.is_regular_file()) {
                ++files;
                BOOST_TEST(read_file(entry.path()).find(secret) == std::string::npos, entry.path());
            }
    BOOST_TEST(files >= 5u);  // state.json, memory.json, notices, logs of workers
}

BOOST_AUTO_TEST_CASE(a_stop_or_a_kill_while_an_action_tells_leaves_no_process_and_no_cgroup) {
    for (const int signal : {SIGTERM, SIGKILL})
        BOOST_TEST_CONTEXT("signal " << signal) {
            const Supervisord supervisord({{.name = "cat1", .command = "/bin/sleep 1000"}});
            const TempDir dir;
            // The command lets supervisord freeze: to tell, the action asks it for the end of the program's
            // log, for 3 s.
            Daemon daemon(supervisord.url(),
                          failing_cat("cat1", "action: 'exec,email', execCmd: 'sleep 4321 & echo $! > " +
                                                  dir.file("pid") + "; kill -STOP " +
                                                  std::to_string(supervisord.daemon_pid()) + "'"),
                          {.config_lines = "mail: {host: 127.0.0.1, port: " + std::to_string(free_port()) +
                                           ", user: ops@test.local, to_list: [a@test.local]}"});
            BOOST_TEST_REQUIRE(daemon.wait_for_log("exec done: exit status 0"));
            const pid_t left = pid_in(dir.file("pid"));
            BOOST_TEST_REQUIRE(left > 1);
            BOOST_TEST(alive(left));
            const pid_t action = daemon.child("healthcheckd: action cat1");
            BOOST_TEST_REQUIRE(action > 1);
            BOOST_TEST(daemon.wait_end(signal).took.count() < 3000 * slower());
            BOOST_TEST(wait_until([&] { return !alive(left); }, 1s));
            BOOST_TEST(wait_until([&] { return !fs::exists(cgroup_of(action)); }, 1s));
            supervisord.signal(SIGCONT);
        }
}

BOOST_AUTO_TEST_CASE(a_stop_while_the_process_of_an_action_is_stopped_leaves_nothing_of_its_command) {
    const Supervisord supervisord({{.name = "cat1", .command = "/bin/sleep 1000"}});
    const TempDir dir;
    Daemon daemon(supervisord.url(), failing_cat("cat1", "action: exec, execCmd: 'sleep 4321 & echo $! > " +
                                                             dir.file("pid") + "; wait'"));
    BOOST_TEST_REQUIRE(wait_until([&] { return pid_in(dir.file("pid")) > 1; }), daemon.log());
    const pid_t command = pid_in(dir.file("pid"));
    const pid_t action = daemon.child("healthcheckd: action cat1");
    BOOST_TEST_REQUIRE(action > 1);
    BOOST_TEST_REQUIRE(::kill(action, SIGSTOP) == 0);
    const std::string status = "/proc/" + std::to_string(action) + "/status";
    BOOST_TEST(wait_until([&] { return read_file(status).find("State:\tT") != std::string::npos; }));
    BOOST_TEST(daemon.wait_end(SIGTERM).took.count() < 4000);
    BOOST_TEST(wait_until([&] { return !alive(command); }, 1s));
}

BOOST_AUTO_TEST_CASE(a_start_removes_the_cgroups_that_killed_actions_have_left) {
    const std::string folder = healthcheckd::master::CommandCgroup::folder();
    // Higher than any number of a process.
    const fs::path stale = fs::path(folder) / "healthcheckd-command-99999999";
    std::error_code error;
    if (folder.empty() || !fs::create_directory(stale, error))
        skip("no version 2 cgroup can be made here");
    const Supervisord supervisord({{.name = "cat1", .command = "/bin/sleep 1000"}});
    const Daemon daemon(supervisord.url(), "cat1: {program: cat1, type: mem, action: email}\n");
    BOOST_TEST(wait_until([&] { return !fs::exists(stale); }));
    fs::remove(stale, error);
}

BOOST_AUTO_TEST_SUITE_END()
