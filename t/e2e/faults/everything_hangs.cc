// The disk of the logs, the disk of the state and a program's file system hang at once: every other check and
// action goes on in time, and afterwards everything is told.
#include "t/fixture/daemon/control_stub.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/mail_lab.h"
#include "t/fixture/mail/webhook_receiver.h"
#include "t/fixture/process/frozen_disk.h"
#include "t/fixture/process/hanging_file.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>

using namespace healthcheckd::test;
using Clock = std::chrono::steady_clock;

BOOST_AUTO_TEST_SUITE(e2e_everything_hangs)

namespace {

constexpr char kFast[] = "periodSeconds: 0.5, initialDelaySeconds: 0, timeoutSeconds: 1, failureThreshold: 3";

bool success(const nlohmann::json& cat) {
    return cat["lastProbe"].is_object() && cat["lastProbe"]["verdict"] == "success";
}

struct Lab {
    HangingFile file;
    FrozenDisk disk;
    WebhookReceiver receiver;
    WatchedPort port{true};
    Supervisord supervisord = Supervisord({{.name = "web", .command = "/bin/sleep 1000"},
                                           {.name = "hung",
                                            .command = program("exec_again.py") + " " + file.path() + " 4",
                                            .extra = "startsecs=0"}});
    TempDir dir;
    Daemon daemon{
        supervisord.url(),
        "good: {program: system, type: mem, maxMem: 100000000, action: webhook, " + std::string(kFast) +
            "}\n"
            "port: {program: web, type: tcp, host: 127.0.0.1, port: " +
            std::to_string(port.number()) + ", action: 'restart,webhook', " + kFast +
            "}\n"
            "mem: {program: web, type: mem, memType: pss, maxMem: 5000, action: webhook, " +
            kFast +
            "}\n"
            "hung: {program: hung, type: mem, memType: pss, maxMem: 5000, action: 'kill,webhook', " +
            kFast + "}\n",
        DaemonOptions{.config_lines = "webhooks: {hook: {url: '" + receiver.url("json") +
                                      "', format: json, secret: '" + WebhookReceiver::kSecret + "'}}",
                      .state_dir = disk.dir() + "/state",
                      .log_dir = disk.dir() + "/log"}};

    nlohmann::json cat(const std::string& name) const {
        const auto answer = healthcheckctl(daemon.socket(), {"status", "--json"});
        const auto state = nlohmann::json::parse(answer.output, nullptr, false);
        if (state.is_object())
            for (const auto& each : state["cats"])
                if (each["name"] == name)
                    return each;
        return nullptr;
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(
    two_disks_and_a_program_that_hang_stop_no_other_check_and_no_action_and_all_is_told_afterwards) {
    Lab lab;
    Daemon& daemon = lab.daemon;
    for (const char* const name : {"good", "port", "mem", "hung"})
        BOOST_TEST_REQUIRE(daemon.wait_for_state(name, success), name);
    BOOST_TEST_REQUIRE(lab.file.wait_until_it_hangs());
    lab.disk.freeze();

    for (const char* const name : {"good", "port", "mem"})
        BOOST_TEST(wait_until(
                       [&] {
                           const auto cat = lab.cat(name);
                           return cat.is_object() && cat["worker"]["spawns"] >= 2 && success(cat);
                       },
                       40s),
                   name);
    const auto asked = Clock::now();
    (void)lab.cat("good");
    BOOST_TEST((Clock::now() - asked < 1s * slower()));
    const pid_t before = lab.supervisord.pid("web");
    const auto closed = Clock::now();
    lab.port.close();
    BOOST_TEST(daemon.wait_for_log("restart done", 20s), daemon.log());
    // Three failures, half a second apart, and a restart without a record on disk.
    BOOST_TEST((Clock::now() - closed < 10s * slower()));
    BOOST_TEST(lab.supervisord.pid("web") != before);
    BOOST_TEST(daemon.count_log("kill begins") == 0U);
    BOOST_TEST(lab.cat("hung")["failures"] == 0);

    lab.disk.thaw();
    lab.file.release();
    BOOST_TEST(wait_until(
                   [&] {
                       std::string told;
                       for (const auto& call : lab.receiver.calls())
                           told += call.dump();
                       return told.find("without a record on disk") != std::string::npos;
                   },
                   30s),
               daemon.log());
    BOOST_TEST(daemon.wait_for_log("its log is written again", 30s, 3), daemon.log());
    BOOST_TEST(daemon.wait_for_state("hung", success, 90s), daemon.log());
    BOOST_TEST(daemon.count_log("is lost") == 0U);
}

BOOST_AUTO_TEST_CASE(sigterm_ends_healthcheckd_in_three_seconds_while_all_of_it_hangs) {
    Lab lab;
    for (const char* const name : {"good", "port", "mem", "hung"})
        BOOST_TEST_REQUIRE(lab.daemon.wait_for_state(name, success), name);
    BOOST_TEST_REQUIRE(lab.file.wait_until_it_hangs());
    lab.disk.freeze();
    BOOST_TEST(lab.daemon.wait_for_log("its log seems to hang,", 30s));
    const auto began = Clock::now();
    lab.daemon.signal(SIGTERM);
    BOOST_TEST(wait_until([&] { return !alive(lab.daemon.pid()); }, 10s));
    BOOST_TEST((Clock::now() - began < 3s * slower()));
    lab.disk.thaw();
}

BOOST_AUTO_TEST_SUITE_END()
