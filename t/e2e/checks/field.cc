// Situations that users of supervisord and of other watchers met and wrote about, and the right answer to
// each.
#include "t/fixture/daemon/control_stub.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/net/web_server.h"
#include "t/fixture/skip.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <sched.h>
#include <sys/mount.h>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_field)

namespace {

std::string cat(const std::string& name, const std::string& program, const std::string& rest) {
    return name + ": {program: '" + program +
           "', periodSeconds: 0.2, initialDelaySeconds: 0, failureThreshold: 2, " + rest + "}\n";
}

auto is(const std::string& state) {
    return [state](const nlohmann::json& one) {
        return one["state"] == state;
    };
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_orphan_that_answers_does_not_hide_that_its_program_is_fatal) {
    const WebServer orphan;
    const Supervisord supervisord(
        {{.name = "web", .command = "/bin/false", .extra = "startsecs=1\nstartretries=0"}});
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "FATAL"));
    const std::string port = std::to_string(orphan.port());
    const Daemon daemon(
        supervisord.url(),
        cat("http", "web", "type: http, host: 127.0.0.1, path: /ok, action: email, port: " + port) +
            cat("tcp", "web", "type: tcp, host: 127.0.0.1, action: email, port: " + port) +
            cat("restart", "web", "type: restart, action: email"));
    for (const char* name : {"http", "tcp"})
        BOOST_TEST(daemon.wait_for_state(name, is("idle")), daemon.log());
    BOOST_TEST(daemon.wait_for_state("restart", is("failed")), daemon.log());
}

BOOST_AUTO_TEST_CASE(a_program_that_ends_while_supervisord_does_not_answer_is_not_taken_for_stopped) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const Daemon daemon(supervisord.url(), cat("mem", "web", "type: mem, maxMem: 1000, action: email") +
                                               cat("tcp", "web",
                                                   "type: tcp, host: 127.0.0.1, action: email, port: " +
                                                       std::to_string(free_port())));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("mem", is("healthy")), daemon.log());
    const pid_t pid = supervisord.pid("web");
    supervisord.signal(SIGSTOP);
    send_signal(pid, SIGKILL);
    for (const char* name : {"mem", "tcp"})
        BOOST_TEST(daemon.wait_for_state(name, is("unknown"), 40s), daemon.log());
    BOOST_TEST(healthcheckctl(daemon.socket(), {"status"}).status == 1);
    supervisord.signal(SIGCONT);
    BOOST_TEST(daemon.wait_for_state("mem", is("healthy"), 40s), daemon.log());
}

BOOST_AUTO_TEST_CASE(a_program_that_did_its_work_and_exited_is_not_ill) {
    const Supervisord supervisord(
        {{.name = "once", .command = "/bin/true", .extra = "autorestart=false\nstartsecs=0\nexitcodes=0"}});
    BOOST_TEST_REQUIRE(supervisord.wait_state("once", "EXITED"));
    const Daemon daemon(supervisord.url(), cat("mem", "once", "type: mem, maxMem: 0.1, action: restart") +
                                               cat("restart", "once", "type: restart, action: restart"));
    BOOST_TEST(daemon.wait_for_state("mem", [](const auto& one) { return one["probes"] >= 5; }),
               daemon.log());
    BOOST_TEST(daemon.wait_for_state("restart", [](const auto& one) { return one["probes"] >= 5; }),
               daemon.log());
    for (const char* name : {"mem", "restart"})
        BOOST_TEST(daemon.state(name)["state"] == "idle", daemon.log());
    BOOST_TEST(daemon.count_log("begins") == 0U);
    BOOST_TEST(supervisord.state("once") == "EXITED");
}

BOOST_AUTO_TEST_CASE(event_listeners_and_fcgi_programs_are_restarted_like_all_others) {
    const TempDir dir;
    const Supervisord supervisord(
        std::initializer_list<SupervisedProgram>{},
        {.raw = "[fcgi-program:fcgi]\ncommand=/bin/sleep 1000\nstartsecs=0\nsocket=unix://" +
                dir.file("fcgi.sock") +
                "\n[eventlistener:events]\ncommand=/bin/sleep 1000\nevents=TICK_3600\nstartsecs=0\n"});
    const std::string greedy = "type: mem, maxMem: 0.1, action: restart";
    const Daemon daemon(supervisord.url(), cat("a", "fcgi", greedy) + cat("b", "events", greedy));
    for (const char* who : {"[a fcgi] restart done: stopped pid", "[b events] restart done: stopped pid"})
        BOOST_TEST(daemon.wait_for_log(who), daemon.log());
}

BOOST_AUTO_TEST_CASE(
    a_pid_file_that_moves_to_a_new_master_at_a_graceful_restart_is_followed_without_an_action) {
    const TempDir dir;
    Subprocess old_master({"/bin/sleep", "1000"});
    const Subprocess new_master({"/bin/sleep", "1000"});
    dir.write("pid", std::to_string(old_master.pid()) + "\n");
    const Daemon daemon(
        "http://127.0.0.1:1/RPC2",
        cat("cat1", "unicorn",
            "type: mem, maxMem: 1000, pidGet: file, action: kill, pidFile: " + dir.file("pid")));
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("cat1", [&](const auto& one) { return one["pid"] == old_master.pid(); }),
        daemon.log());
    dir.write("new", std::to_string(new_master.pid()) + "\n");
    std::filesystem::rename(dir.file("new"), dir.file("pid"));
    old_master.signal(SIGTERM);
    BOOST_TEST(daemon.wait_for_state("cat1",
                                     [&](const auto& one) {
                                         return one["pid"] == new_master.pid() && one["state"] == "healthy";
                                     }),
               daemon.log());
    BOOST_TEST(daemon.count_log("kill begins") == 0U);
}

BOOST_AUTO_TEST_CASE(a_peak_of_memory_at_the_start_is_waited_out_by_the_initial_delay) {
    const TempDir dir;
    const std::string script = dir.write("web.py", "import mmap, os, time\n"
                                                   "peak = mmap.mmap(-1, 80 << 20)\n"
                                                   "peak.write(b'x' * (80 << 20))\n"
                                                   "open('" +
                                                       dir.file("peak") +
                                                       "', 'w')\n"
                                                       "while not os.path.exists('" +
                                                       dir.file("go on") +
                                                       "'):\n"
                                                       "    time.sleep(0.05)\n"
                                                       "peak.close()\n"
                                                       "time.sleep(1000)\n");
    const Supervisord supervisord({{.name = "web", .command = "/usr/bin/python3 " + script}});
    BOOST_TEST_REQUIRE(wait_until([&] { return std::filesystem::exists(dir.file("peak")); }, 20s));
    const Daemon daemon(supervisord.url(), "cat1: {program: web, type: mem, maxMem: 60, periodSeconds: 0.2, "
                                           "failureThreshold: 1, action: restart, "
                                           "initialDelaySeconds: " +
                                               std::to_string(4 * slower()) + "}\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[web] runs with pid"));
    BOOST_TEST(stays([&] { return daemon.count_log("restart begins") == 0; }, 1s));
    dir.write("go on", "");
    BOOST_TEST(daemon.wait_for_state("cat1", [](const auto& one) { return one["probes"] >= 3; }),
               daemon.log());
    BOOST_TEST(daemon.state("cat1")["state"] == "healthy", daemon.log());
    BOOST_TEST(daemon.count_log("restart begins") == 0U);
}

BOOST_AUTO_TEST_CASE(hundreds_of_restarts_in_a_few_seconds_are_one_failure_and_cost_supervisord_little) {
    const Supervisord supervisord(
        {{.name = "web", .command = "/bin/sh -c 'sleep 0.05'", .extra = "startsecs=0\nautorestart=true"}});
    const Daemon daemon(
        supervisord.url(),
        "cat1: {program: web, type: restart, mincontinueRun: 5, periodSeconds: 0.5, "
        "initialDelaySeconds: 0, failureThreshold: 10, action: exec, execCmd: 'echo acted'}\n");
    BOOST_TEST(daemon.wait_for_log("[cat1 web] output: acted", 30s), daemon.log());
    BOOST_TEST(daemon.count_log(" error ") == 0U, daemon.log());
}

BOOST_AUTO_TEST_CASE(on_a_root_that_is_read_only_all_is_checked_and_acted_upon) {
    const TempDir state;
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        skip("needs root and a mount namespace of its own");
    const TempDir dead;
    if (::mount("tmpfs", dead.path().c_str(), "tmpfs", MS_RDONLY, "size=64k") != 0)
        skip("no tmpfs can be mounted here");
    const Daemon daemon(supervisord.url(), cat("cat1", "web", "type: mem, maxMem: 0.1, action: restart"),
                        {.state_dir = state.file("s"), .log_dir = dead.path()});
    BOOST_TEST(daemon.wait_for_log("restart done: stopped pid"), daemon.log());
}

BOOST_AUTO_TEST_CASE(a_program_that_stops_as_a_group_in_the_middle_of_a_restart_is_left_to_who_stops_it) {
    const Supervisord supervisord(
        {{.name = "web",
          .command = "/bin/sh -c 'trap \"\" TERM; while :; do sleep 0.2; done'",
          .extra = "stopasgroup=true\nkillasgroup=true\nstopwaitsecs=" + std::to_string(3 * slower())}});
    Subprocess stop({"/usr/bin/supervisorctl", "-s", supervisord.url(), "stop", "web"});
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "STOPPING"));
    const Daemon daemon(supervisord.url(), cat("cat1", "web", "type: mem, maxMem: 0.1, action: restart"));
    BOOST_TEST(daemon.wait_for_log("restart dropped: somebody is stopping web"), daemon.log());
    BOOST_TEST(supervisord.wait_state("web", "STOPPED", 20s));
    BOOST_TEST(daemon.wait_for_state("cat1", is("idle")), daemon.log());
    BOOST_TEST(supervisord.state("web") == "STOPPED");
}

BOOST_AUTO_TEST_CASE(a_log_that_is_copied_and_truncated_goes_on_from_its_beginning) {
    const Daemon daemon("http://127.0.0.1:1/RPC2",
                        cat("cat1", "system", "type: mem, maxMem: 100000000, action: email"));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("cat1", is("healthy")));
    const std::string file = daemon.log_dir() + "/cat1.log";
    BOOST_TEST_REQUIRE(wait_until([&] { return std::filesystem::file_size(file) > 200; }));
    std::filesystem::resize_file(file, 0);
    BOOST_TEST(wait_until([&] { return !daemon.cat_log("cat1").empty(); }));
    const std::string log = daemon.cat_log("cat1");
    BOOST_TEST(log.find('\0') == std::string::npos, "a hole of the old size");
    BOOST_TEST(log[0] == '2', log);
}

BOOST_AUTO_TEST_SUITE_END()
