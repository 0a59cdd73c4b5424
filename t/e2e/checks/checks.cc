// The five checks and their actions, on real programs under a real supervisord.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/skip.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_checks)

namespace {

// A program that serves HTTP from t/fixture/net/web.py; its behaviour is a file in supervisord's folder.
std::string web_command(int port, const std::string& address = "127.0.0.1") {
    return "/usr/bin/python3 " + (source_dir() / "t/fixture/net/web.py").string() + " . " + address + " " +
           std::to_string(port);
}

bool accepts(const Supervisord& supervisord, const std::string& name, int port) {
    return supervisord.wait_state(name, "RUNNING") && wait_until([&] { return listens(port); });
}

// Waits until the program has another pid than `old`, and gives it; 0 when it never does.
pid_t next_pid(const Supervisord& supervisord, const std::string& name, pid_t old) {
    pid_t pid = 0;
    wait_until(
        [&] {
            pid = supervisord.pid(name);
            return pid != 0 && pid != old;
        },
        20s);
    return pid == old ? 0 : pid;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_program_whose_rss_is_over_the_limit_is_restarted) {
    const Supervisord supervisord({{.name = "gateway", .command = program("leak.py") + " 10 0.1 200"}});
    const pid_t before = supervisord.pid("gateway");
    const Daemon daemon(supervisord.url(), R"(
cat1: {program: gateway, type: mem, maxMem: 80, periodSeconds: 0.2, action: restart}
)");
    BOOST_TEST(next_pid(supervisord, "gateway", before) != 0);
    BOOST_TEST(daemon.wait_for_log("restart done: stopped pid " + std::to_string(before)));
    BOOST_TEST(daemon.cat_log("cat1").find("failure") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(shared_memory_counts_in_rss_by_half_in_pss_and_not_in_uss) {
    // 64 MB shared by two processes, 16 MB private.
    const Supervisord supervisord({{.name = "shared", .command = program("share.py") + " 64 16"}});
    Daemon daemon(supervisord.url(), R"(
rss: {program: shared, type: mem, memType: rss, maxMem: 70, periodSeconds: 0.2, action: exec, execCmd: 'true'}
pss: {program: shared, type: mem, memType: pss, maxMem: 70, periodSeconds: 0.2, action: exec, execCmd: 'true'}
uss: {program: shared, type: mem, memType: uss, maxMem: 40, periodSeconds: 0.2, action: exec, execCmd: 'true'}
)");
    BOOST_TEST(daemon.wait_for_log("[rss shared] exec done"));
    BOOST_TEST(daemon.wait_for_state(  // it has the private memory last
        "rss", [](const auto& state) { return state["lastProbe"]["value"] > 80; }));
    const auto value = [&](const char* cat) {
        daemon.wait_for_state(cat, [](const auto& state) { return state["probes"] > 3; });
        return daemon.state(cat)["lastProbe"]["value"].get<double>();
    };
    const double rss = value("rss");
    const double pss = value("pss");
    const double uss = value("uss");
    BOOST_TEST((rss > 80 && rss < 110));
    BOOST_TEST((pss > rss - 42 && pss < rss - 26));
    BOOST_TEST((uss > 15 && uss < pss - 25));
    BOOST_TEST(daemon.count_log("[uss shared] exec") == 0U);
    BOOST_TEST(daemon.count_log("[pss shared] exec") == 0U);
}

BOOST_AUTO_TEST_CASE(a_spinning_program_is_restarted_and_a_calm_one_is_not) {
    const std::string output = "stdout_logfile=%(here)s/%(program_name)s.out";
    const Supervisord supervisord({{.name = "spin", .command = program("spin.py"), .extra = output},
                                   {.name = "calm", .command = program("spin.py") + " 4", .extra = output}});
    // The start of an interpreter is not calm.
    BOOST_TEST_REQUIRE(
        wait_until([&] { return has(read_file(supervisord.dir().file("calm.out")), "ready"); }, 20s));
    const pid_t spin = supervisord.pid("spin");
    const pid_t calm = supervisord.pid("calm");
    // Low: beside the other tests a spinner gets no more than a share of its core.
    const Daemon daemon(supervisord.url(), R"(
spin: {program: spin, type: cpu, maxCpu: 12%, periodSeconds: 0.5, action: restart}
calm: {program: calm, type: cpu, maxCpu: 12%, periodSeconds: 0.5, action: restart}
)");
    BOOST_TEST(next_pid(supervisord, "spin", spin) != 0);
    BOOST_TEST(daemon.wait_for_state("calm", [](const auto& state) { return state["probes"] >= 6; }));
    BOOST_TEST(supervisord.pid("calm") == calm);
    BOOST_TEST(daemon.count_log("[calm calm] restart") == 0U);
}

BOOST_AUTO_TEST_CASE(a_web_server_that_hangs_is_restarted) {
    const int port = free_port();
    const Supervisord supervisord({{.name = "web", .command = web_command(port)}});
    BOOST_TEST_REQUIRE(accepts(supervisord, "web", port));
    const pid_t before = supervisord.pid("web");
    Daemon daemon(supervisord.url(),
                  "cat3: {program: web, type: http, host: 127.0.0.1, path: /health, port: " +
                      std::to_string(port) + ", periodSeconds: 0.3, timeoutSeconds: 0.5, action: restart}\n");
    BOOST_TEST(daemon.wait_for_state("cat3", [](const auto& state) { return state["state"] == "healthy"; }));
    BOOST_TEST(supervisord.pid("web") == before);
    supervisord.dir().write("mode", "hang");
    const pid_t after = next_pid(supervisord, "web", before);
    BOOST_TEST(after != 0);
    BOOST_TEST(daemon.wait_for_log("no answer within 0.5 s"));
}

BOOST_AUTO_TEST_CASE(a_page_of_two_megabytes_and_a_stream_without_end_restart_nothing) {
    const int port = free_port();
    const Supervisord supervisord({{.name = "web", .command = web_command(port)}});
    BOOST_TEST_REQUIRE(accepts(supervisord, "web", port));
    const pid_t before = supervisord.pid("web");
    const std::string common = ", program: web, host: 127.0.0.1, port: " + std::to_string(port) +
                               ", periodSeconds: 0.5, initialDelaySeconds: 2, failureThreshold: 2, "
                               "action: restart}\n";
    Daemon daemon(supervisord.url(), "big: {path: /big" + common + "stream: {path: /inf" + common +
                                         "drip: {path: /drip" + common + "short: {path: /short" + common);
    for (const char* cat : {"big", "stream", "drip", "short"}) {
        BOOST_TEST(daemon.wait_for_state(cat, [](const auto& state) { return state["probes"] >= 5; }));
        BOOST_TEST(daemon.state(cat)["state"] == "healthy", cat);
        BOOST_TEST(daemon.state(cat)["failures"] == 0, cat);
    }
    BOOST_TEST(supervisord.pid("web") == before);
}

BOOST_AUTO_TEST_CASE(a_status_500_runs_the_command_and_a_302_is_alive) {
    const int port = free_port();
    const Supervisord supervisord({{.name = "web", .command = web_command(port)}});
    BOOST_TEST_REQUIRE(accepts(supervisord, "web", port));
    const std::string common =
        ", type: http, program: web, host: 127.0.0.1, port: " + std::to_string(port) +
        ", periodSeconds: 0.2, action: exec, execCmd: 'echo \"$HEALTHCHECK_MESSAGE\"'}\n";
    Daemon daemon(supervisord.url(), "broken: {path: /status/500" + common + "moved: {path: /status/302" +
                                         common + "only: {path: /status/302, expectStatus: 200" + common);
    BOOST_TEST(daemon.wait_for_log("[broken web] output: HTTP 500"));
    BOOST_TEST(daemon.wait_for_log("[only web] output: HTTP 302"));
    BOOST_TEST(daemon.wait_for_state("moved", [](const auto& state) { return state["probes"] >= 4; }));
    BOOST_TEST(daemon.state("moved")["state"] == "healthy");
    BOOST_TEST(daemon.count_log("[moved web] exec") == 0U);
}

BOOST_AUTO_TEST_CASE(a_refused_port_runs_the_command_and_an_open_one_does_not) {
    const int open = free_port();
    const Supervisord supervisord(
        {{.name = "open", .command = program("listen.py") + " 127.0.0.1 " + std::to_string(open)},
         {.name = "closed", .command = "/bin/sleep 1000"}});
    BOOST_TEST_REQUIRE(accepts(supervisord, "open", open));
    Daemon daemon(
        supervisord.url(),
        "open: {program: open, type: tcp, host: 127.0.0.1, periodSeconds: 0.2, initialDelaySeconds: 2, "
        "action: exec, execCmd: 'true', port: " +
            std::to_string(open) +
            "}\nclosed: {program: closed, type: tcp, host: 127.0.0.1, periodSeconds: 0.2, action: exec, "
            "execCmd: 'echo ran $HEALTHCHECK_CAT $HEALTHCHECK_TYPE', port: " +
            std::to_string(free_port()) + "}\n");
    BOOST_TEST(daemon.wait_for_log("[closed closed] output: ran closed tcp"));
    BOOST_TEST(daemon.wait_for_state("open", [](const auto& state) { return state["probes"] >= 4; }));
    BOOST_TEST(daemon.state("open")["state"] == "healthy");
}

BOOST_AUTO_TEST_CASE(ports_on_ipv6_are_checked) {
    const int port = free_port();
    const Supervisord supervisord(
        {{.name = "six", .command = program("listen.py") + " ::1 " + std::to_string(port)}});
    Daemon daemon(supervisord.url(),
                  "tcp: {program: six, type: tcp, host: '::1', periodSeconds: 0.2, action: email, "
                  "initialDelaySeconds: 2, port: " +
                      std::to_string(port) +
                      "}\nfour: {program: six, type: tcp, host: 127.0.0.1, periodSeconds: 0.2, "
                      "action: email, port: " +
                      std::to_string(port) + "}\n");
    BOOST_TEST(daemon.wait_for_state("tcp", [](const auto& state) { return state["state"] == "healthy"; }));
    BOOST_TEST(daemon.wait_for_state("four", [](const auto& state) { return state["state"] == "failed"; }));
}

BOOST_AUTO_TEST_CASE(three_restarts_run_the_command) {
    const Supervisord supervisord(
        {{.name = "worker", .command = "/bin/sleep 1000", .extra = "autorestart=true"}});
    Daemon daemon(supervisord.url(),
                  "cat5: {program: worker, type: restart, periodSeconds: 0.3, action: exec, "
                  "execCmd: 'echo seen'}\n");
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("cat5", [](const auto& state) { return state["successes"] > 0; }));
    for (int i = 0; i < 3; ++i) {
        const pid_t pid = supervisord.pid("worker");
        BOOST_TEST(daemon.count_log("output: seen") == 0U);
        send_signal(pid, SIGKILL);
        BOOST_TEST_REQUIRE(next_pid(supervisord, "worker", pid) != 0);
        BOOST_TEST(daemon.wait_for_log("worker] runs with pid " + std::to_string(supervisord.pid("worker"))));
    }
    BOOST_TEST(daemon.wait_for_log("[cat5 worker] output: seen"));
}

BOOST_AUTO_TEST_CASE(a_crash_loop_is_seen_although_it_is_mostly_not_running) {
    // Too short-lived to ever be RUNNING: STARTING and BACKOFF in turns.
    const Supervisord supervisord({{.name = "crash",
                                    .command = program("crash.sh") + " 0.1",
                                    .extra = "startsecs=1\nstartretries=20\nautorestart=true"}});
    const Daemon daemon(supervisord.url(),
                        "cat5: {program: crash, type: restart, periodSeconds: 1, action: exec, "
                        "execCmd: 'echo seen'}\n");
    BOOST_TEST(daemon.wait_for_log("[cat5 crash] output: seen", 30s));
}

BOOST_AUTO_TEST_CASE(a_process_found_by_name_is_killed_by_sigkill) {
    const TempDir dir;
    const std::string script =
        dir.write("leaky-by-name", "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.2; done\n", 0755);
    Subprocess target({script});
    const Supervisord supervisord({});
    const Daemon daemon(supervisord.url(),
                        "cat1: {program: leaky-by-name, type: mem, maxMem: 0.5, pidGet: name, "
                        "periodSeconds: 0.2, action: kill}\n");
    const int status = target.wait(20s);
    BOOST_TEST(WIFSIGNALED(status));
    BOOST_TEST(WTERMSIG(status) == SIGKILL);
    BOOST_TEST(daemon.wait_for_log("killed pid " + std::to_string(target.pid())));
}

BOOST_AUTO_TEST_CASE(a_process_that_another_user_has_called_by_the_programs_name_is_not_taken_for_it) {
    need_root("needs root, to run programs as others");
    const TempDir dir;
    const std::string name = "hcd-gateway-" + std::to_string(::getpid());
    std::filesystem::copy_file("/bin/sleep", dir.file(name));
    const std::vector<std::string> command{dir.file(name), "1000"};
    Subprocess::Options as_stranger;
    as_stranger.uid = 61234;
    const Subprocess strangers(command, as_stranger);
    const Supervisord supervisord({{.name = name, .command = command[0] + " 1000", .extra = "user=nobody"}});
    const Daemon daemon(supervisord.url(),
                        "mine: {program: " + name +
                            ", type: mem, pidGet: name, periodSeconds: 0.2, action: kill}\n"
                            "theirs: {program: " +
                            name +
                            ", type: mem, pidGet: name, pidUser: 61234, maxMem: 0.1, "
                            "periodSeconds: 0.2, failureThreshold: 1000, action: exec, "
                            "execCmd: 'true'}\n");
    BOOST_TEST(daemon.wait_for_state("mine", [&](const auto& cat) {
        return cat["state"] == "healthy" && cat["pid"] == supervisord.pid(name);
    }));
    // Of the users that are believed the oldest is taken.
    BOOST_TEST(daemon.wait_for_state("theirs", [&](const auto& cat) {
        return cat["state"] == "failing" && cat["pid"] == strangers.pid();
    }));
    BOOST_TEST(daemon.state("mine")["pid"] == supervisord.pid(name));
}

BOOST_AUTO_TEST_CASE(a_programs_user_who_leads_its_pid_file_elsewhere_has_no_process_of_roots_killed) {
    need_root("needs root, to give a folder away");
    const TempDir dir;
    Subprocess roots({"/bin/sleep", "1000"});
    Subprocess::Options as_app;
    as_app.uid = 61234;
    Subprocess apps({"/bin/sleep", "1000"}, as_app);
    std::filesystem::create_directories(dir.file("root"));
    std::filesystem::create_directories(dir.file("app/run"));
    dir.write("root/daemon.pid", std::to_string(roots.pid()));
    const std::string file = dir.write("app/run/daemon.pid", std::to_string(apps.pid()));
    for (const char* given : {"app", "app/run", "app/run/daemon.pid"})
        BOOST_TEST_REQUIRE(::chown(dir.file(given).c_str(), 61234, 61234) == 0);
    const Supervisord supervisord({});
    const Daemon daemon(supervisord.url(),
                        "cat1: {program: any, type: mem, maxMem: 0.1, pidGet: file, pidFile: " + file +
                            ", periodSeconds: 0.2, failureThreshold: 1, action: kill}\n");
    // The program's own process is the user's to have killed.
    BOOST_TEST(daemon.wait_for_log("killed pid " + std::to_string(apps.pid())));
    std::filesystem::rename(dir.file("app/run"), dir.file("app/old"));
    std::filesystem::create_directory_symlink("../root", dir.file("app/run"));
    BOOST_TEST(daemon.wait_for_log(dir.file("app/run") + " is a symbolic link"));
    // And by another name of root's file, on the same file system.
    std::filesystem::remove(dir.file("app/run"));
    std::filesystem::create_directory(dir.file("app/run"));
    std::filesystem::create_hard_link(dir.file("root/daemon.pid"), file);
    BOOST_TEST(daemon.wait_for_log("others than root may change " + dir.file("app")));
    BOOST_TEST(roots.running());
}

BOOST_AUTO_TEST_CASE(a_process_found_by_its_pid_file_is_killed_by_sigkill) {
    const TempDir dir;
    Subprocess target({"/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.2; done"});
    const std::string file = dir.write("t.pid", std::to_string(target.pid()) + "\n");
    const Supervisord supervisord({});
    const Daemon daemon(supervisord.url(),
                        "cat1: {program: any, type: mem, maxMem: 0.5, pidGet: file, pidFile: " + file +
                            ", periodSeconds: 0.2, action: kill}\n");
    const int status = target.wait(20s);
    BOOST_TEST(WIFSIGNALED(status));
    BOOST_TEST(WTERMSIG(status) == SIGKILL);
    BOOST_TEST(daemon.wait_for_log("killed pid " + std::to_string(target.pid())));
}

BOOST_AUTO_TEST_CASE(restart_beats_exec_and_exec_beats_kill) {
    const Supervisord supervisord(
        {{.name = "one", .command = "/bin/sleep 1000"}, {.name = "two", .command = "/bin/sleep 1000"}});
    const pid_t one = supervisord.pid("one");
    const pid_t two = supervisord.pid("two");
    const Daemon daemon(supervisord.url(), R"(
one: {program: one, type: mem, maxMem: 0.1, periodSeconds: 0.2, action: 'kill,exec,restart', execCmd: 'echo one ran'}
two: {program: two, type: mem, maxMem: 0.1, periodSeconds: 0.2, action: 'kill,exec', execCmd: 'echo two ran'}
)");
    BOOST_TEST(next_pid(supervisord, "one", one) != 0);
    BOOST_TEST(daemon.wait_for_log("[one one] restart done"));
    BOOST_TEST(daemon.wait_for_log("[two two] output: two ran"));
    BOOST_TEST(daemon.count_log("one ran") == 0U);
    BOOST_TEST(supervisord.pid("two") == two);
    BOOST_TEST(daemon.count_log("kill begins") == 0U);
}

BOOST_AUTO_TEST_CASE(the_whole_machine_is_checked_as_program_system) {
    const Supervisord supervisord({});
    Daemon daemon(supervisord.url(), R"(
mem: {program: system, type: mem, maxMem: 1, periodSeconds: 0.2, action: exec, execCmd: 'echo full'}
cpu: {program: system, type: cpu, maxCpu: 101, periodSeconds: 0.2, action: email}
)");
    BOOST_TEST(daemon.wait_for_log("[mem system] output: full"));
    BOOST_TEST(daemon.wait_for_state("cpu", [](const auto& state) { return state["state"] == "healthy"; }));
    BOOST_TEST(daemon.state("cpu")["lastProbe"]["value"].get<double>() <= 100.0);
}

BOOST_AUTO_TEST_SUITE_END()
