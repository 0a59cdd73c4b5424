// What must hold when things go wrong around healthcheckd itself.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/net/open_port.h"
#include "t/fixture/net/web_server.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_robust)

namespace {

// `count` http cats that all hang on one server, each for its own time limit.
std::string hanging_cats(int count, int port) {
    std::string cats;
    for (int i = 0; i < count; ++i)
        cats += "hang" + std::to_string(i) +
                ": {program: web, type: http, host: 127.0.0.1, path: /hang, port: " + std::to_string(port) +
                ", periodSeconds: 1, timeoutSeconds: 30, action: email}\n";
    return cats;
}

// How many of them have hung through a tick. Any other cat may have been late for one.
std::size_t probing(const Daemon& daemon) {
    const auto state = daemon.state();
    return static_cast<std::size_t>(
        std::count_if(state["cats"].begin(), state["cats"].end(), [](const auto& cat) {
            return cat["name"].template get<std::string>().starts_with("hang") && cat["skippedTicks"] > 0;
        }));
}

}  // namespace

BOOST_AUTO_TEST_CASE(garbage_in_a_pid_file_never_leads_to_a_signal) {
    const TempDir dir;
    Subprocess bystander({"/bin/sleep", "1000"});
    const std::string file = dir.write("t.pid", "");
    const Supervisord supervisord({});
    Daemon daemon(supervisord.url(), "cat1: {program: any, type: mem, maxMem: 0.1, pidGet: file, pidFile: " +
                                         file + ", periodSeconds: 0.1, failureThreshold: 1, action: kill}\n");
    for (const std::string& content :
         {std::string("garbage"), std::string("0"), std::string("1"), std::string("-1"),
          std::string("9223372036854775808"), "x " + std::to_string(bystander.pid()),
          "0x" + std::to_string(bystander.pid()), std::to_string(daemon.pid()), std::string("4194305"),
          std::string(1 << 20, '9')}) {
        BOOST_TEST_CONTEXT("pid file '" << content.substr(0, 40) << "'") {
            dir.write("t.pid", content);
            const auto probes = daemon.state("cat1")["probes"].get<int>();
            BOOST_TEST(daemon.wait_for_state(
                "cat1", [&](const auto& state) { return state["probes"] > probes + 2; }));
        }
    }
    BOOST_TEST(daemon.count_log("kill begins") == 0U);
    BOOST_TEST(bystander.running());
    BOOST_TEST(daemon.running());
}

BOOST_AUTO_TEST_CASE(stopping_takes_under_three_seconds_with_twenty_hanging_probes_and_leaves_nothing) {
    const WebServer server;
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Daemon daemon(supervisord.url(), hanging_cats(20, server.port()));
    BOOST_TEST_REQUIRE(wait_until([&] { return probing(daemon) == 20; }, 30s));
    const auto children = daemon.children();
    BOOST_TEST(children.size() >= 21U);
    const auto stopped = daemon.stop();
    BOOST_TEST(stopped.status == 0);
    BOOST_TEST(stopped.took.count() < 3000 * slower());
    // On a busy machine the kernel takes its time to end what was killed.
    for (const auto& child : children)
        BOOST_TEST(wait_until([&] { return !alive(child.pid); }, 100ms), child.title << " is left");
}

BOOST_AUTO_TEST_CASE(killing_the_master_leaves_no_process_after_a_second) {
    const WebServer server;
    const TempDir dir;
    const std::string mark = dir.file("command.pid");
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Daemon daemon(
        supervisord.url(),
        hanging_cats(5, server.port()) +
            "exec: {program: web, type: mem, maxMem: 0.1, periodSeconds: 0.2, action: exec, execCmd: 'echo "
            "$$ > " +
            mark + "; sleep 1000'}\n");
    BOOST_TEST_REQUIRE(wait_until([&] { return !read_file(mark).empty() && probing(daemon) >= 5; }, 30s));
    const auto children = daemon.children();
    BOOST_TEST(children.size() >= 8U);
    BOOST_TEST(daemon.wait_end(SIGKILL).status == 128 + SIGKILL);
    const auto all_gone = [&] {
        return std::none_of(children.begin(), children.end(),
                            [](const auto& child) { return alive(child.pid); });
    };
    BOOST_TEST(wait_until(all_gone, 1s));
    BOOST_TEST(!alive(std::stoi(read_file(mark))));
}

BOOST_AUTO_TEST_CASE(sixty_hanging_web_servers_do_not_delay_the_verdict_on_a_closed_port) {
    const WebServer server;
    const int port = free_port();
    auto listener = std::make_unique<OpenPort>(port);
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    constexpr auto kPeriod = 1000ms;
    Daemon daemon(supervisord.url(), hanging_cats(60, server.port()) +
                                         "tcp: {program: web, type: tcp, host: 127.0.0.1, periodSeconds: 1, "
                                         "failureThreshold: 3, action: exec, execCmd: 'true', port: " +
                                         std::to_string(port) + "}\n");
    BOOST_TEST_REQUIRE(wait_until([&] { return probing(daemon) == 60; }, 60s));
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("tcp", [](const auto& state) { return state["state"] == "healthy"; }));
    listener.reset();
    const auto closed = std::chrono::steady_clock::now();
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[tcp web] exec begins"));
    // Without any delay the third failing tick comes between two and three periods after the end.
    BOOST_TEST((std::chrono::steady_clock::now() - closed < 3 * kPeriod + kPeriod * slower()));
}

BOOST_AUTO_TEST_CASE(a_killed_worker_is_one_unknown_verdict_and_is_replaced) {
    const WebServer server;
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Daemon daemon(supervisord.url(),
                  hanging_cats(1, server.port()) +
                      "other: {program: web, type: mem, periodSeconds: 0.2, action: restart}\n");
    BOOST_TEST_REQUIRE(wait_until([&] { return probing(daemon) == 1; }, 20s));
    const pid_t worker = daemon.child("hang0 [http web]");
    BOOST_TEST_REQUIRE(worker != 0);
    send_signal(worker, SIGKILL);
    BOOST_TEST(
        daemon.wait_for_log("the worker (pid " + std::to_string(worker) + ") was lost: killed by signal 9"));
    BOOST_TEST(
        daemon.wait_for_state("hang0", [](const auto& state) { return state["worker"]["spawns"] == 2; }));
    BOOST_TEST(daemon.state("hang0")["lastProbe"]["verdict"] == "unknown");
    BOOST_TEST(daemon.state("hang0")["failures"] == 0);
    BOOST_TEST(daemon.state("other")["worker"]["spawns"] == 1);
}

BOOST_AUTO_TEST_CASE(a_frozen_worker_is_replaced_after_its_deadline) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Daemon daemon(supervisord.url(),
                  "cat1: {program: web, type: mem, periodSeconds: 0.2, action: restart}\n");
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("cat1", [](const auto& state) { return state["state"] == "healthy"; }));
    const pid_t worker = daemon.child("cat1 [mem web]");
    BOOST_TEST_REQUIRE(worker != 0);
    send_signal(worker, SIGSTOP);
    BOOST_TEST(daemon.wait_for_log("it did not answer in time", 10s));
    BOOST_TEST(
        daemon.wait_for_state("cat1", [](const auto& state) { return state["worker"]["spawns"] == 2; }));
    BOOST_TEST(!alive(worker));
}

BOOST_AUTO_TEST_SUITE_END()
