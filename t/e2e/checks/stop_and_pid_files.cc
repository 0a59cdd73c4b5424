// What is said about programs, and what is done to them, is right where monitors are distrusted: restarts
// counted exactly, grace after every start, one restart for one fault, groups, and almost no load on
// supervisord.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/net/open_port.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <thread>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_stop_and_pid_files)

namespace {

std::string listener(const std::string& script, int port, const std::string& more = "") {
    return program(script) + " 127.0.0.1 " + std::to_string(port) + more;
}

// Kills the program's process and waits until healthcheckd knows the next one.
void kill_and_wait(const Supervisord& supervisord, const Daemon& daemon, const std::string& name) {
    const pid_t pid = supervisord.running_pid(name);
    send_signal(pid, SIGKILL);
    pid_t next = 0;
    BOOST_TEST_REQUIRE(wait_until([&] {
        next = supervisord.pid(name);
        return next != 0 && next != pid;
    }));
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[" + name + "] runs with pid " + std::to_string(next)));
}

const std::string kPool =
    "[program:pool]\ncommand=/usr/bin/setpriv --pdeathsig KILL /bin/sleep 1000\nnumprocs=%d\n"
    "startsecs=0\ndirectory=/\nprocess_name=%(program_name)s_%(process_num)02d\n";

std::string pool_of(int processes) {
    std::string text = kPool;
    return text.replace(text.find("%d"), 2, std::to_string(processes));
}

}  // namespace

BOOST_AUTO_TEST_CASE(twenty_programs_and_400_probes_in_ten_seconds_cost_two_connections_to_supervisord) {
    std::vector<SupervisedProgram> programs;
    std::string cats;
    for (int i = 0; i < 20; ++i) {
        const std::string name = "p" + std::to_string(i);
        programs.push_back({.name = name, .command = "/bin/sleep 1000"});
        cats += name + ": {program: " + name + ", type: mem, periodSeconds: 0.5, action: restart}\n";
    }
    const Supervisord supervisord(programs);
    const TempDir dir;
    const std::string count = dir.file("count");
    const Subprocess proxy({"/usr/bin/python3",
                            (source_dir() / "t/fixture/supervisord/unix_proxy.py").string(),
                            dir.file("proxy.sock"), supervisord.socket_path(), count});
    BOOST_TEST_REQUIRE(wait_until([&] { return read_file(count) == "0"; }));
    Daemon daemon("unix://" + dir.file("proxy.sock"), cats);
    // By the workers' own logs: asking for the state would be a load of its own.
    const auto probes = [&](const std::string& name) {
        const std::string log = daemon.cat_log(name);
        std::size_t lines = 0;
        for (std::size_t at = log.find(" success: "); at != std::string::npos;
             at = log.find(" success: ", at + 1))
            ++lines;
        return lines;
    };
    BOOST_TEST_REQUIRE(wait_until([&] { return probes("p19") >= 1; }));
    const auto begin = std::chrono::steady_clock::now();
    BOOST_TEST_REQUIRE(wait_until([&] { return probes("p19") >= 21; }, 30s));
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 12s * slower()));
    std::size_t sum = 0;
    for (const SupervisedProgram& one : programs)
        sum += probes(one.name);
    BOOST_TEST(sum >= 400U);
    BOOST_TEST(std::stoi(read_file(count)) >= 1);
    BOOST_TEST(std::stoi(read_file(count)) <= 2);
}

BOOST_AUTO_TEST_CASE(three_kills_half_a_second_apart_count_three_in_a_period_of_six_seconds) {
    const Supervisord supervisord(
        {{.name = "web", .command = "/bin/sleep 1000", .extra = "autorestart=true"}});
    Daemon daemon(supervisord.url(),
                  "cat5: {program: web, type: restart, periodSeconds: 6, failureThreshold: 3, "
                  "action: exec, execCmd: 'echo counted'}\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_state("cat5", [](const auto& cat) { return cat["probes"] >= 1; }));
    for (int i = 0; i < 3; ++i) {
        kill_and_wait(supervisord, daemon, "web");
        std::this_thread::sleep_for(500ms);  // the interval that the promise is about
    }
    BOOST_TEST(daemon.wait_for_log("3 restarts since the last check"));
    BOOST_TEST(daemon.wait_for_log("output: counted"));
}

BOOST_AUTO_TEST_CASE(a_program_that_dies_every_700_ms_reaches_the_threshold) {
    const Supervisord supervisord(
        {{.name = "crash", .command = program("crash.sh") + " 0.7", .extra = "autorestart=true"}});
    const Daemon daemon(supervisord.url(), "cat5: {program: crash, type: restart, periodSeconds: 1, "
                                           "failureThreshold: 3, action: exec, execCmd: 'echo counted'}\n");
    BOOST_TEST(daemon.wait_for_log("output: counted", 15s));
}

BOOST_AUTO_TEST_CASE(a_program_that_supervisord_gave_up_reaches_the_threshold) {
    // One retry only: fewer restarts than the threshold, then FATAL for good.
    const Supervisord supervisord({{.name = "crash",
                                    .command = program("crash.sh") + " 0.1",
                                    .extra = "startsecs=1\nstartretries=1\nautorestart=true"}});
    Daemon daemon(supervisord.url(),
                  "cat5: {program: crash, type: restart, periodSeconds: 0.5, "
                  "failureThreshold: 3, action: exec, execCmd: 'echo \"$HEALTHCHECK_MESSAGE\"'}\n");
    BOOST_TEST(daemon.wait_for_log("output: supervisord gave up starting it (FATAL: "));
    BOOST_TEST(daemon.wait_for_log("[crash] is FATAL: "));
    BOOST_TEST(daemon.state("cat5")["programState"] == "FATAL");
}

BOOST_AUTO_TEST_CASE(restarts_by_healthcheckd_itself_count_as_well) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Daemon daemon(supervisord.url(), R"(
mem: {program: web, type: mem, maxMem: 0.1, periodSeconds: 0.3, failureThreshold: 2, initialDelaySeconds: 0.3, action: restart}
count: {program: web, type: restart, periodSeconds: 0.5, failureThreshold: 3, action: exec, execCmd: 'echo counted'}
)");
    BOOST_TEST(daemon.wait_for_log("[count web] output: counted", 40s));
    BOOST_TEST(daemon.count_log("restart done") >= 2U);
}

BOOST_AUTO_TEST_CASE(a_program_slow_to_start_is_never_restarted_within_its_grace_and_would_be_without) {
    const int port = free_port();
    const Supervisord supervisord({{.name = "slow",
                                    .command = listener("slow_listen.py", port, " 4"),
                                    .extra = "startsecs=1\nautorestart=true"}});
    const std::string cat =
        "cat4: {program: slow, type: tcp, host: 127.0.0.1, periodSeconds: 0.5, failureThreshold: "
        "2, action: restart, port: " +
        std::to_string(port) + ", initialDelaySeconds: ";
    {
        Daemon daemon(supervisord.url(), cat + std::to_string(6 * slower()) + "}\n");
        BOOST_TEST_REQUIRE(
            daemon.wait_for_state("cat4", [](const auto& state) { return state["state"] == "healthy"; }));
        // Whoever starts it: here supervisord, after a crash.
        kill_and_wait(supervisord, daemon, "slow");
        const auto probes = daemon.state("cat4")["probes"].get<int>();
        BOOST_TEST(
            daemon.wait_for_state("cat4", [&](const auto& state) { return state["probes"] > probes + 3; }));
        BOOST_TEST(daemon.state("cat4")["state"] == "healthy");
        BOOST_TEST(daemon.count_log("restart begins") == 0U);
    }
    const Daemon daemon(supervisord.url(), cat + "1}\n");
    const pid_t pid = supervisord.pid("slow");
    send_signal(pid, SIGKILL);
    BOOST_TEST(daemon.wait_for_log("restart begins"));
}

BOOST_AUTO_TEST_CASE(four_cats_of_one_program_that_fail_together_restart_it_once) {
    const int port = free_port();
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000", .extra = "startsecs=1"}});
    const std::string tcp =
        ": {program: web, type: tcp, host: 127.0.0.1, periodSeconds: 0.4, failureThreshold: 3, "
        "action: restart, initialDelaySeconds: " +
        std::to_string(slower()) + ", port: " + std::to_string(port) + "}\n";
    const pid_t before = supervisord.pid("web");
    Daemon daemon(supervisord.url(), "a" + tcp + "b" + tcp + "c" + tcp + "d" + tcp);
    BOOST_TEST_REQUIRE(daemon.wait_for_log("restart done"));
    // From here on the port is open, as if the restart had mended it.
    const OpenPort mended(port);
    for (const char* cat : {"a", "b", "c", "d"})
        BOOST_TEST(daemon.wait_for_state(cat, [](const auto& state) { return state["state"] == "healthy"; }));
    BOOST_TEST(daemon.count_log("restart begins") == 1U);
    BOOST_TEST(daemon.count_log("[web] runs with pid") == 2U);
    BOOST_TEST(supervisord.pid("web") != before);
}

BOOST_AUTO_TEST_CASE(programs_that_come_and_go_by_update_are_followed) {
    Supervisord supervisord({{.name = "old", .command = "/bin/sleep 1000"}});
    Daemon daemon(supervisord.url(), R"(
old: {program: old, type: mem, periodSeconds: 0.3, failureThreshold: 2, action: restart}
new: {program: new, type: mem, periodSeconds: 0.3, failureThreshold: 2, action: restart}
)");
    BOOST_TEST(daemon.wait_for_state("old", [](const auto& state) { return state["state"] == "healthy"; }));
    BOOST_TEST(daemon.wait_for_state("new", [](const auto& state) { return state["state"] == "unknown"; }));
    supervisord.set_programs({{.name = "new", .command = "/bin/sleep 1000"}});
    BOOST_TEST(supervisord.ctl({"update"}).status == 0);
    BOOST_TEST(daemon.wait_for_state(
        "new", [](const auto& state) { return state["state"] == "healthy"; }, 10s));
    BOOST_TEST(daemon.wait_for_state(
        "old", [](const auto& state) { return state["state"] == "unknown"; }, 10s));
    BOOST_TEST(daemon.count_log("restart begins") == 0U);
}

BOOST_AUTO_TEST_CASE(each_member_of_a_group_has_a_cat_and_counters_of_its_own) {
    const Supervisord supervisord({}, {.raw = pool_of(3)});
    Daemon daemon(supervisord.url(),
                  "cat1: {program: 'pool:*', type: restart, periodSeconds: 0.3, failureThreshold: "
                  "2, action: exec, execCmd: 'echo \"$HEALTHCHECK_CAT $HEALTHCHECK_PROGRAM\"'}\n");
    for (const char* cat : {"cat1/pool_00", "cat1/pool_01", "cat1/pool_02"})
        BOOST_TEST_REQUIRE(
            daemon.wait_for_state(cat, [](const auto& state) { return state["state"] == "healthy"; }));
    BOOST_TEST(daemon.child("healthcheckd: cat1/pool_01 [restart pool:pool_01]") != 0);
    BOOST_TEST(std::filesystem::exists(daemon.log_dir() + "/cat1%2Fpool_01.log"));
    kill_and_wait(supervisord, daemon, "pool:pool_01");
    kill_and_wait(supervisord, daemon, "pool:pool_01");
    BOOST_TEST(daemon.wait_for_log("output: cat1/pool_01 pool:pool_01"));
    BOOST_TEST(daemon.state("cat1/pool_00")["actions"]["fired"] == 0);
    BOOST_TEST(daemon.count_log("output: cat1/pool_00") == 0U);
}

BOOST_AUTO_TEST_CASE(members_of_a_group_that_come_and_go_are_followed) {
    const Supervisord supervisord({}, {.raw = pool_of(2)});
    Daemon daemon(supervisord.url(),
                  "cat1: {program: 'pool:*', type: mem, periodSeconds: 0.3, action: restart}\n"
                  "none: {program: 'absent:*', type: mem, action: restart}\n");
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("cat1/pool_01", [](const auto& state) { return state["state"] == "healthy"; }));
    BOOST_TEST(daemon.wait_for_log("supervisord has no group 'absent'"));
    const std::string file = supervisord.dir().file("supervisord.conf");
    std::string text = read_file(file);
    const auto at = text.find("numprocs=2");
    BOOST_TEST_REQUIRE(at != std::string::npos);
    std::ofstream(file) << text.replace(at, 10, "numprocs=1");
    BOOST_TEST(supervisord.ctl({"update"}).status == 0);
    BOOST_TEST(daemon.wait_for_log("[cat1/pool_01 pool:pool_01] is no member of pool any more", 35s));
    BOOST_TEST(wait_until([&] { return daemon.child("cat1/pool_01") == 0; }));
    BOOST_TEST(
        daemon.wait_for_state("cat1/pool_00", [](const auto& state) { return state["state"] == "healthy"; }));
}

BOOST_AUTO_TEST_CASE(a_group_that_comes_back_is_followed_within_5_s) {
    const Supervisord supervisord({}, {.raw = pool_of(2)});
    const Daemon daemon(supervisord.url(),
                        "cat1: {program: 'pool:*', type: mem, periodSeconds: 0.3, action: restart}\n");
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("cat1/pool_01", [](const auto& state) { return state["state"] == "healthy"; }));
    BOOST_TEST(supervisord.ctl({"stop", "pool:*"}).status == 0);
    BOOST_TEST(supervisord.ctl({"remove", "pool"}).status == 0);
    BOOST_TEST_REQUIRE(daemon.wait_for_log("supervisord has no group 'pool'"));
    BOOST_TEST(supervisord.ctl({"add", "pool"}).status == 0);
    BOOST_TEST(wait_until([&] { return daemon.child("cat1/pool_01") != 0; }, 5s));
}

BOOST_AUTO_TEST_CASE(a_program_that_drains_while_an_operator_stops_it_is_not_killed) {
    const int port = free_port();
    // Takes 3 s to end; meanwhile its port is closed.
    const Supervisord supervisord(
        {{.name = "web",
          .command = "/bin/sh -c 'trap \"sleep 3; exit 0\" TERM; while :; do sleep 0.1; done'",
          .extra = "stopwaitsecs=10"}});
    auto listening = std::make_unique<OpenPort>(port);
    Daemon daemon(supervisord.url(), "cat4: {program: web, type: tcp, host: 127.0.0.1, periodSeconds: 0.3, "
                                     "failureThreshold: 2, action: kill, port: " +
                                         std::to_string(port) + "}\n");
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("cat4", [](const auto& state) { return state["state"] == "healthy"; }));
    Subprocess operator_stop(
        {"/usr/bin/supervisorctl", "-c", supervisord.dir().file("supervisord.conf"), "stop", "web"});
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "STOPPING"));
    listening.reset();
    BOOST_TEST(daemon.wait_for_log("kill dropped: somebody is stopping web"));
    BOOST_TEST(supervisord.wait_state("web", "STOPPED"));
    BOOST_TEST(daemon.count_log("kill begins") == 0U);
}

BOOST_AUTO_TEST_CASE(restarts_in_which_supervisord_freezes_all_end_with_the_programs_running) {
    std::vector<SupervisedProgram> programs;
    std::string cats;
    for (int i = 0; i < 6; ++i) {
        const std::string name = "p" + std::to_string(i);
        programs.push_back(
            {.name = name,
             .command = "/bin/sh -c 'trap \"sleep 1; exit 0\" TERM; while :; do sleep 0.1; done'",
             .extra = "stopwaitsecs=10"});
        cats += name + ": {program: " + name +
                ", type: tcp, host: 127.0.0.1, periodSeconds: 1, failureThreshold: 2, "
                "initialDelaySeconds: 0, action: restart, port: " +
                std::to_string(free_port()) + "}\n";
    }
    const Supervisord supervisord(programs);
    const Daemon daemon(supervisord.url(), cats);
    BOOST_TEST_REQUIRE(daemon.wait_for_log("restart begins", 20s, 6));
    supervisord.signal(SIGSTOP);
    std::this_thread::sleep_for(15s);  // several time limits of the link
    supervisord.signal(SIGCONT);
    for (const SupervisedProgram& one : programs)
        BOOST_TEST(
            wait_until(
                [&] { return daemon.count_log("[" + one.name + " " + one.name + "] restart done") > 0; },
                60s),
            one.name << " was not restarted");
    for (const SupervisedProgram& one : programs)
        BOOST_TEST(wait_until([&] { return supervisord.pid(one.name) != 0; }, 20s),
                   one.name << " does not run");
}

BOOST_AUTO_TEST_SUITE_END()
