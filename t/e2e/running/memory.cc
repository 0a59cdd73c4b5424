// What healthcheckd knows after it was restarted: failed cats, counts, pauses, actions.
#include "t/fixture/daemon/control_client.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/mail_lab.h"
#include "t/fixture/mail/smtp_sink.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>

using namespace healthcheckd;
using namespace healthcheckd::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(e2e_memory)

namespace {

constexpr char kSleep[] = "/bin/sleep 1000";

std::string tcp_cat(int port, const std::string& more) {
    return "cat1: {program: web, type: tcp, host: 127.0.0.1, port: " + std::to_string(port) +
           ", periodSeconds: 0.2, initialDelaySeconds: 0" + more + "}\n";
}

}  // namespace

BOOST_AUTO_TEST_CASE(counts_actions_and_pauses_outlive_a_restart) {
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    const std::string cats =
        tcp_cat(free_port(), ", failureThreshold: 3, action: exec, execCmd: 'echo once'") +
        "other: {program: system, type: mem, maxMem: 100000000, periodSeconds: 0.2, action: email}\n";
    Daemon first(supervisord.url(), cats);
    BOOST_TEST_REQUIRE(first.wait_for_log("[cat1 web] exec done"));
    BOOST_TEST_REQUIRE(wait_until(
        [&] { return ask_control(first.socket(), request_of("pause", "cat1", 3'600'000))["ok"] == true; }));
    ask_control(first.socket(), request_of("pause", "other", 0));
    const auto before = first.state("cat1");
    BOOST_TEST(first.stop().status == 0);

    const Daemon second(supervisord.url(), cats, {.state_dir = first.state_dir()});
    BOOST_TEST(second.wait_for_log("[cat1 web] paused until "));
    BOOST_TEST(second.wait_for_log("[other system] paused until resumed"));
    const auto after = second.state("cat1");
    BOOST_TEST(after["state"] == "failed");
    BOOST_TEST(after["failures"] == before["failures"]);
    BOOST_TEST(after["actions"]["fired"] == before["actions"]["fired"]);
    BOOST_TEST(after["actions"]["last"] == before["actions"]["last"], after.dump());
    BOOST_TEST(after["probes"] == before["probes"]);
    BOOST_TEST(second.state("other")["paused"].is_object());
}

BOOST_AUTO_TEST_CASE(what_was_failed_is_remembered_through_a_kill) {
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    const std::string cats = tcp_cat(free_port(), ", failureThreshold: 2, action: exec, execCmd: 'true'");
    Daemon first(supervisord.url(), cats);
    BOOST_TEST_REQUIRE(first.wait_for_log("-> failed"));
    BOOST_TEST_REQUIRE(wait_until([&] {
        return read_file(first.state_dir() + "/memory.json").find("\"failed\": true") != std::string::npos;
    }));
    first.wait_end(SIGKILL);
    const Daemon second(supervisord.url(), cats, {.state_dir = first.state_dir()});
    BOOST_TEST(second.wait_for_log("[cat1 web] starting -> failed (failures "));
    BOOST_TEST(second.wait_for_log("): failed before healthcheckd was started"));
}

BOOST_AUTO_TEST_CASE(counts_are_dropped_when_the_definition_or_the_process_is_another_one) {
    Supervisord supervisord({{.name = "web", .command = kSleep}});
    const int port = free_port();
    const std::string rule = ", failureThreshold: 1000000, action: exec, execCmd: 'true'";
    Daemon first(supervisord.url(), tcp_cat(port, rule));
    BOOST_TEST_REQUIRE(first.wait_for_state("cat1", [](const auto& cat) { return cat["failures"] > 20; }));
    BOOST_TEST(first.stop().status == 0);

    Daemon same(supervisord.url(), tcp_cat(port, rule), {.state_dir = first.state_dir()});
    BOOST_TEST(same.state("cat1")["failures"] >= 20);
    BOOST_TEST(same.stop().status == 0);

    Daemon other(supervisord.url(), tcp_cat(port, rule + ", timeoutSeconds: 2"),
                 {.state_dir = first.state_dir()});
    BOOST_TEST(other.state("cat1")["failures"] < 20);
    BOOST_TEST_REQUIRE(other.wait_for_state("cat1", [](const auto& cat) { return cat["failures"] > 20; }));
    BOOST_TEST(other.stop().status == 0);

    BOOST_TEST(supervisord.ctl({"restart", "web"}).status == 0);
    const Daemon last(supervisord.url(), tcp_cat(port, rule + ", timeoutSeconds: 2"),
                      {.state_dir = first.state_dir()});
    BOOST_TEST_REQUIRE(last.wait_for_log("[web] runs with pid"));
    BOOST_TEST(last.state("cat1")["failures"] < 20);
}

BOOST_AUTO_TEST_CASE(a_torn_file_is_put_aside_and_stops_nothing) {
    const Supervisord supervisord({{.name = "web", .command = kSleep}});
    const std::string cats = tcp_cat(free_port(), ", failureThreshold: 2, action: exec, execCmd: 'true'");
    Daemon first(supervisord.url(), cats);
    BOOST_TEST_REQUIRE(first.wait_for_log("-> failed"));
    BOOST_TEST(first.stop().status == 0);
    const std::string file = first.state_dir() + "/memory.json";
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
    const Daemon second(supervisord.url(), cats, {.state_dir = first.state_dir()});
    BOOST_TEST(second.wait_for_log(" and was put aside as "));
    BOOST_TEST(std::filesystem::exists(file + ".damaged"));
    BOOST_TEST(second.wait_for_log("-> failed"));
}

BOOST_AUTO_TEST_CASE(a_memory_that_cannot_be_read_is_kept_and_restores_its_pauses_when_it_is_put_back) {
    const char* const nobody = "unix:///nonexistent/supervisor.sock";
    const std::string cats =
        "cat1: {program: system, type: mem, maxMem: 100000000, periodSeconds: 0.2, action: email}\n";
    Daemon first(nobody, cats);
    BOOST_TEST_REQUIRE(first.wait_for_log("-> healthy"));
    BOOST_TEST(ask_control(first.socket(), request_of("pause", "cat1", 0))["ok"] == true);
    BOOST_TEST(first.stop().status == 0);
    const std::string file = first.state_dir() + "/memory.json";
    const std::string good = read_file(file);
    BOOST_TEST_REQUIRE(good.find("\"untilMs\"") != std::string::npos);
    std::filesystem::resize_file(file, 17 << 20);  // more than is read

    Daemon second(nobody, cats, {.state_dir = first.state_dir()});
    BOOST_TEST(second.wait_for_log("cats that were paused are not paused any more"));
    BOOST_TEST(second.wait_for_log("-> healthy"));
    // Written more than once: the first file is kept.
    for (const char* command : {"pause", "resume"})
        BOOST_TEST(ask_control(second.socket(), request_of(command, "cat1", 0))["ok"] == true);
    BOOST_TEST(second.stop().status == 0);
    BOOST_TEST(read_file(file).find("\"paused\": null") != std::string::npos);
    std::vector<std::string> kept;
    for (const auto& entry : std::filesystem::directory_iterator(first.state_dir()))
        if (entry.path().filename().string().starts_with("memory.json.unread-"))
            kept.push_back(entry.path());
    BOOST_TEST_REQUIRE(kept.size() == 1U);
    BOOST_TEST(second.count_log(std::filesystem::path(kept[0]).filename().string()) == 1U);
    std::filesystem::rename(kept[0], file);
    std::filesystem::resize_file(file, good.size());
    BOOST_TEST(read_file(file) == good);

    const Daemon third(nobody, cats, {.state_dir = first.state_dir()});
    BOOST_TEST(third.wait_for_log("[cat1 system] paused until resumed"));
}

BOOST_AUTO_TEST_CASE(a_memory_that_cannot_be_read_delays_no_check) {
    const TempDir dir;
    std::filesystem::create_directories(dir.file("state"));
    std::filesystem::create_directory(dir.file("state/memory.json"));
    const Daemon daemon(
        "unix:///nonexistent/supervisor.sock",
        "cat1: {program: system, type: mem, maxMem: 100000000, periodSeconds: 0.2, action: email}\n",
        {.state_dir = dir.file("state")});
    BOOST_TEST(
        daemon.wait_for_log("memory.json could not be read (see its permissions, its size and its disk)"));
    BOOST_TEST(daemon.wait_for_log("[cat1 system] starting -> healthy"));
}

BOOST_AUTO_TEST_SUITE_END()
