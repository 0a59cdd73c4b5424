// The socket where healthcheckctl asks: what it answers, and that nobody who connects can hold up the master.
#include "t/fixture/daemon/control_client.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/net/web_server.h"
#include "t/fixture/supervisord/supervisord.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <random>
#include <sys/stat.h>

using namespace healthcheckd;
using namespace healthcheckd::test;
using namespace std::chrono_literals;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(e2e_control)

namespace {

constexpr char kSleep[] = "/bin/sleep 1000";
constexpr char kNoSupervisord[] = "unix:///nonexistent/supervisor.sock";

// Asks supervisord nothing.
std::string mem_cat(const std::string& name, const std::string& more = "") {
    return name +
           ": {program: system, type: mem, maxMem: 100000000, periodSeconds: 0.2, "
           "initialDelaySeconds: 0, action: email" +
           more + "}\n";
}

std::string tcp_cat(const std::string& name, int port, const std::string& more) {
    return name + ": {program: web, type: tcp, host: 127.0.0.1, port: " + std::to_string(port) +
           ", periodSeconds: 0.2, initialDelaySeconds: 0" + more + "}\n";
}

bool healthy(const json& cat) {
    return cat["state"] == "healthy";
}

// Asks until the daemon listens.
json ask(const Daemon& daemon, const ControlRequest& request) {
    BOOST_TEST_REQUIRE(wait_until([&] { return std::filesystem::exists(daemon.socket()); }));
    return ask_control(daemon.socket(), request);
}

}  // namespace

BOOST_AUTO_TEST_CASE(only_the_owner_may_ask_and_the_socket_goes_with_the_daemon) {
    Daemon daemon(kNoSupervisord, mem_cat("cat1"));
    BOOST_TEST_REQUIRE(ask(daemon, request_of("status"))["ok"] == true);
    struct stat status {};
    BOOST_TEST_REQUIRE(::stat(daemon.socket().c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & 07777) == 0600u);
    Daemon other(kNoSupervisord, mem_cat("cat1"), {.socket = daemon.socket()});
    BOOST_TEST(other.wait_end(0, 20s).status != 0, other.log());
    BOOST_TEST(ask(daemon, request_of("status"))["state"]["pid"] == daemon.pid());
    BOOST_TEST(daemon.stop().status == 0);
    BOOST_TEST(!std::filesystem::exists(daemon.socket()));
}

BOOST_AUTO_TEST_CASE(a_socket_that_could_not_be_made_is_made_when_nothing_is_in_the_way_any_more) {
    const TempDir dir;
    const std::string socket = dir.write("s", "text");
    const Daemon daemon(kNoSupervisord, mem_cat("cat1"), {.socket = socket});
    BOOST_TEST_REQUIRE(
        daemon.wait_for_log("healthcheckctl cannot ask: " + socket + " is there and is no socket"));
    BOOST_TEST(stays([&] { return daemon.count_log("healthcheckctl cannot ask") == 1; }, 6s));
    std::filesystem::remove(socket);
    BOOST_TEST_REQUIRE(daemon.wait_for_log("healthcheckctl can ask now, at " + socket), daemon.log());
    BOOST_TEST(ask_control(socket, request_of("status"))["state"]["pid"] == daemon.pid());
}

BOOST_AUTO_TEST_CASE(the_socket_of_one_that_was_killed_is_taken_over) {
    const TempDir dir;
    const std::string socket = dir.file("folder/that/is/missing/s");
    {
        Daemon killed(kNoSupervisord, mem_cat("cat1"), {.socket = socket});
        BOOST_TEST_REQUIRE(wait_until([&] { return std::filesystem::exists(socket); }));
        killed.wait_end(SIGKILL);
    }
    BOOST_TEST(std::filesystem::exists(socket));
    const Daemon next(kNoSupervisord, mem_cat("cat1"), {.socket = socket});
    BOOST_TEST_REQUIRE(next.wait_for_state("cat1", healthy));
    BOOST_TEST(ask_control(socket, request_of("status"))["state"]["pid"] == next.pid());
}

BOOST_AUTO_TEST_CASE(status_is_the_document_of_state_json) {
    const Daemon daemon(kNoSupervisord,
                        mem_cat("cat1") + mem_cat("off", ", enabled: no") + mem_cat("dry", ", dryRun: yes"));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("cat1", healthy));
    const json answer = ask(daemon, request_of("status"));
    const json cats = answer["state"]["cats"];
    BOOST_TEST_REQUIRE(cats.size() == 3u);
    BOOST_TEST(cats[0]["name"] == "cat1");
    BOOST_TEST(cats[0]["paused"].is_null());
    BOOST_TEST(cats[1]["state"] == "disabled");
    BOOST_TEST(cats[2]["dryRun"] == true);
    const json document = daemon.state();
    for (const auto& [key, value] : document.items())
        BOOST_TEST(answer["state"].contains(key), key);
}

BOOST_AUTO_TEST_CASE(a_paused_cat_is_not_probed_until_it_is_resumed_or_its_time_is_over) {
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    const Daemon daemon(supervisord.url(), tcp_cat("one", free_port(), ", failureThreshold: 1000000") +
                                               tcp_cat("two", free_port(), ", failureThreshold: 1000000") +
                                               mem_cat("other"));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("two", [](const auto& cat) { return cat["failures"] > 1; }));
    const json paused = ask(daemon, request_of("pause", "web", 0));
    BOOST_TEST((paused["cats"] == json::array({"one", "two"})), paused.dump());
    BOOST_TEST(paused["until"].is_null());
    BOOST_TEST(daemon.state("one")["paused"]["until"].is_null());
    const auto probes = daemon.state("two")["probes"].get<int>();
    const auto others = daemon.state("other")["probes"].get<int>();
    BOOST_TEST_REQUIRE(daemon.wait_for_state(
        "other", [&](const auto& cat) { return cat["probes"].template get<int>() > others + 4; }));
    BOOST_TEST(daemon.state("two")["probes"] == probes);

    // It counts from the beginning.
    const std::size_t begun = daemon.count_log("starting -> failing (failures 1/1000000");
    BOOST_TEST((ask(daemon, request_of("resume", "one"))["cats"] == json::array({"one"})));
    BOOST_TEST(daemon.wait_for_log("starting -> failing (failures 1/1000000", 10s, begun + 1));
    BOOST_TEST(daemon.state("two")["paused"].is_object());
    BOOST_TEST(!ask(daemon, request_of("pause", "two", 1'000))["until"].is_null());
    BOOST_TEST(daemon.wait_for_log("[two web] resumed: its pause is over"));
    BOOST_TEST(daemon.wait_for_state("two", [](const auto& cat) { return cat["failures"] > 1; }));
    BOOST_TEST(ask(daemon, request_of("resume", "two"))["error"] == "'two' is not paused");
}

BOOST_AUTO_TEST_CASE(a_group_that_is_gone_is_no_health_and_comes_back_as_it_went) {
    const SupervisedProgram web{.name = "web",
                                .command = kSleep,
                                .extra = "numprocs=1\nprocess_name=%(program_name)s_%(process_num)02d"};
    const SupervisedProgram other{.name = "other", .command = kSleep};
    Supervisord supervisord({web, other});
    const Daemon daemon(supervisord.url(),
                        "g: {program: 'web:*', type: mem, maxMem: 5000, periodSeconds: 0.2, "
                        "initialDelaySeconds: 0}\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_state("g/web_00", healthy));
    ask(daemon, request_of("pause", "g", 0));
    supervisord.set_programs({other});
    BOOST_TEST(supervisord.ctl({"update"}).status == 0);
    BOOST_TEST_REQUIRE(daemon.wait_for_log("is no member of web any more"));
    const json gone = ask(daemon, request_of("status"))["state"]["cats"][0];
    BOOST_TEST(gone["name"] == "g");
    BOOST_TEST(gone["state"] == "unknown", gone.dump());
    for (const char* name : {"g", "web:*"})
        BOOST_TEST(ask(daemon, request_of("check", name))["error"] ==
                   "'g' has no member now: supervisord has no program of web:*");
    supervisord.set_programs({web, other});
    BOOST_TEST(supervisord.ctl({"update"}).status == 0);
    BOOST_TEST(daemon.wait_for_state("g/web_00", [](const auto& cat) { return cat["paused"].is_object(); }));
}

// As long as healthcheckctl may wait, the answer is that of the probe.
BOOST_AUTO_TEST_CASE(a_check_on_request_is_waited_for_as_long_as_its_probe_may_take) {
    const WebServer server;
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    const Daemon daemon(supervisord.url(), "slow: {program: web, type: http, host: 127.0.0.1, port: " +
                                               std::to_string(server.port()) +
                                               ", path: /hang, timeoutSeconds: 33, periodSeconds: 1000, "
                                               "initialDelaySeconds: 1000}\n" +
                                               mem_cat("cat1"));
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[web] runs with pid"));
    const json answer = ask(daemon, request_of("check", "slow"));
    BOOST_TEST(answer["ok"] == true, answer.dump());
    BOOST_TEST(answer["tookMs"] > 32'000, answer.dump());
}

BOOST_AUTO_TEST_CASE(of_a_group_nothing_is_said_before_supervisord_has_answered) {
    const Daemon daemon(kNoSupervisord, "g: {program: 'web:*', type: mem, maxMem: 5000}\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_log("nothing can be said about its programs"));
    for (int i = 0; i < 2; ++i) {
        BOOST_TEST(ask(daemon, request_of("check", "g"))["error"] ==
                   "'g' has no member now: supervisord has not answered yet");
        BOOST_TEST(ask(daemon, request_of("reload"))["ok"] == true);
    }
    BOOST_TEST(daemon.count_log("supervisord has no group") == 0u);
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_check_is_told_when_its_cat_is_changed_or_the_daemon_stops) {
    const WebServer server;
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    const auto slow = [&](int timeout) {
        return "slow: {program: web, type: http, host: 127.0.0.1, port: " + std::to_string(server.port()) +
               ", path: /hang, periodSeconds: 1000, initialDelaySeconds: 1000, timeoutSeconds: " +
               std::to_string(timeout) + "}\n";
    };
    Daemon daemon(supervisord.url(), slow(20));
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[web] runs with pid"));
    const auto check = [&] {
        return std::async(std::launch::async, [&] {
            ControlClient client;
            client.connect(daemon.socket());
            client.send(encode(request_of("check", "slow")).line());
            return client.answer();
        });
    };
    std::future<std::string> answer = check();
    // A worker that is not ready yet is answered for at once.
    const auto asked = [&](std::size_t requests) {
        return wait_until([&] {
            if (answer.wait_for(0s) == std::future_status::ready)
                answer = check();
            return server.requests().size() >= requests;
        });
    };
    BOOST_TEST_REQUIRE(asked(1));
    daemon.set_cats(slow(21));
    BOOST_TEST(ask(daemon, request_of("reload"))["ok"] == true);
    const json changed = json::parse(answer.get());
    BOOST_TEST(changed["message"] ==
               "its configuration changed, or healthcheckd stops: the probe was given up");
    BOOST_TEST(changed["state"].is_null(), changed.dump());
    answer = check();
    BOOST_TEST_REQUIRE(asked(2));
    BOOST_TEST(daemon.stop().status == 0);
}

BOOST_AUTO_TEST_CASE(a_check_on_request_comes_at_once_and_is_not_counted_in_a_pause) {
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    const int port = free_port();
    const Daemon daemon(supervisord.url(),
                        "slow: {program: web, type: tcp, host: 127.0.0.1, port: " + std::to_string(port) +
                            ", periodSeconds: 1000, initialDelaySeconds: 0, "
                            "failureThreshold: 100}\n" +
                            tcp_cat("fast", port, ""));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("fast", [](const auto& cat) { return cat["failures"] > 0; }));
    const json checked = ask(daemon, request_of("check", "slow"));
    BOOST_TEST(checked["verdict"] == "failure", checked.dump());
    BOOST_TEST(checked["message"] == "connection refused");
    BOOST_TEST(checked["state"] == "failing");
    ask(daemon, request_of("pause", "slow", 0));
    BOOST_TEST(ask(daemon, request_of("check", "slow"))["verdict"] == "failure");
    BOOST_TEST(daemon.state("slow")["failures"] == 1);
    BOOST_TEST(daemon.wait_for_log("[slow web] checked, not counted: failure: connection refused"));
    BOOST_TEST(ask(daemon, request_of("check", "web"))["error"] == "'web' has several cats: slow, fast");
    BOOST_TEST(ask(daemon, request_of("check", "slwo"))["error"] ==
               "there is no cat or program 'slwo'; did you mean 'slow'?");
}

BOOST_AUTO_TEST_CASE(what_an_action_would_do_is_told_and_not_done) {
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    const pid_t pid = supervisord.pid("web");
    const Daemon daemon(supervisord.url(), tcp_cat("restart", free_port(), ", failureThreshold: 1000000") +
                                               tcp_cat("mute", free_port(), ", action: email"));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("restart", [](const auto& cat) { return cat["failures"] > 1; }));
    const json plan = ask(daemon, request_of("test-action", "restart"));
    BOOST_TEST((plan["lines"] ==
                json::array({"would restart web (pid " + std::to_string(pid) + ") through supervisord"})),
               plan.dump());
    BOOST_TEST(ask(daemon, request_of("test-action", "mute"))["lines"][0] ==
               "would do nothing: its action is email, and nobody is there to be told");
    BOOST_TEST(supervisord.pid("web") == pid);
}

BOOST_AUTO_TEST_CASE(reload_answers_with_what_changed_or_with_the_problems) {
    const Daemon daemon(kNoSupervisord, mem_cat("one") + mem_cat("two"));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("two", healthy));
    daemon.set_cats(mem_cat("one", ", failureThreshold: 9") + mem_cat("three"));
    const json taken = ask(daemon, request_of("reload"));
    BOOST_TEST((taken["added"] == json::array({"three"})), taken.dump());
    BOOST_TEST((taken["removed"] == json::array({"two"})));
    BOOST_TEST((taken["changed"] == json::array({"one"})));
    daemon.set_cats("one: {program: system, tipe: mem}\n");
    const json refused = ask(daemon, request_of("reload"));
    BOOST_TEST(refused["ok"] == false);
    BOOST_TEST(refused["problems"].dump().find("unknown key 'tipe'; did you mean 'type'?") !=
                   std::string::npos,
               refused.dump());
    BOOST_TEST(ask(daemon, request_of("status"))["state"]["cats"].size() == 2u);
}

BOOST_AUTO_TEST_CASE(history_has_the_last_fifty_verdicts_and_actions) {
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    const Daemon daemon(supervisord.url(),
                        tcp_cat("cat1", free_port(), ", failureThreshold: 2, action: exec, execCmd: 'true'"));
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("cat1", [](const auto& cat) { return cat["actions"]["fired"] > 1; }));
    const json events = ask(daemon, request_of("history", "cat1"))["events"];
    const auto is_failure = [](const json& event) {
        return event["kind"] == "verdict" && event["verdict"] == "failure" &&
               event["text"] == "connection refused";
    };
    const auto is_action = [](const json& event) {
        return event["kind"] == "action" && event["action"] == "exec" && event["ok"] == true;
    };
    BOOST_TEST(std::ranges::any_of(events, is_failure), events.dump());
    BOOST_TEST(std::ranges::any_of(events, is_action), events.dump());
    BOOST_TEST(
        wait_until([&] { return ask(daemon, request_of("history", "cat1"))["events"].size() == 50; }, 30s));
    const auto probes = daemon.state("cat1")["probes"].get<int>();
    BOOST_TEST(daemon.wait_for_state("cat1", [&](const auto& cat) { return cat["probes"] > probes + 5; }));
    BOOST_TEST(ask(daemon, request_of("history", "cat1"))["events"].size() == 50u);
}

BOOST_AUTO_TEST_CASE(slow_dead_and_hostile_clients_cost_no_probe_a_tick) {
    const Daemon daemon(kNoSupervisord, mem_cat("cat1"));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("cat1", healthy));
    std::vector<ControlClient> silent(50);
    for (ControlClient& client : silent)
        client.connect(daemon.socket());
    std::vector<ControlClient> deaf(20);
    for (ControlClient& client : deaf) {
        client.connect(daemon.socket());
        client.send("status\n");
    }
    std::mt19937 random(7);
    for (int i = 0; i < 500; ++i) {
        std::string bytes(random() % 6000, '\0');
        for (char& byte : bytes)
            byte = static_cast<char>(random());
        ControlClient client;
        client.connect(daemon.socket());
        client.send(bytes);
    }
    ControlClient broken;
    broken.connect(daemon.socket());
    broken.send("status extra=1\n");
    BOOST_TEST(broken.answer().find("\"ok\":false") != std::string::npos);
    BOOST_TEST(ask(daemon, request_of("status"))["ok"] == true);
    const json cat = daemon.state("cat1");
    BOOST_TEST(cat["skippedTicks"] == 0);
    BOOST_TEST(cat["worker"]["spawns"] == 1);
    silent.clear();
    deaf.clear();
    // The descriptors of those who are gone come back.
    const auto sockets = [&] {
        std::size_t count = 0;
        for (const auto& fd :
             std::filesystem::directory_iterator("/proc/" + std::to_string(daemon.pid()) + "/fd")) {
            std::error_code gone;
            count += std::filesystem::read_symlink(fd.path(), gone).string().starts_with("socket:") ? 1 : 0;
        }
        return count;
    };
    BOOST_TEST(wait_until([&] { return sockets() <= 6; }, 15s), sockets() << " sockets");
}

BOOST_AUTO_TEST_SUITE_END()
