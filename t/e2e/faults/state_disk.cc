// A disk below stateDir that hangs: actions are carried out, nothing blocks, and what could not be written is
// told when the disk is back.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/mail_lab.h"
#include "t/fixture/mail/webhook_receiver.h"
#include "t/fixture/process/frozen_disk.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>

using namespace healthcheckd::test;
using Clock = std::chrono::steady_clock;

BOOST_AUTO_TEST_SUITE(e2e_state_disk)

namespace {

// A program that is well as long as the port is open, and healthcheckd with its stateDir on a disk that hangs
// on demand.
struct Lab {
    FrozenDisk disk;
    WebhookReceiver receiver;
    SmtpSink sink{plain_sink()};
    WatchedPort port{true};
    Supervisord supervisord = Supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    std::optional<Daemon> daemon;

    explicit Lab(const std::string& action, const std::string& more = "") {
        daemon.emplace(
            supervisord.url(),
            "cat1: {program: web, type: tcp, host: 127.0.0.1, port: " + std::to_string(port.number()) +
                ", periodSeconds: 0.5, initialDelaySeconds: 0, failureThreshold: 3, "
                "sendResolved: true, action: '" +
                action + "'" + more + "}\n",
            DaemonOptions{.config_lines = plain_mail(sink) + "\nwebhooks: {hook: {url: '" +
                                          receiver.url("json") + "', format: json, secret: '" +
                                          WebhookReceiver::kSecret + "'}}",
                          .state_dir = disk.dir() + "/state"});
        BOOST_TEST_REQUIRE(daemon->wait_for_log("-> healthy"), daemon->log());
        // The mailer has its folders and is confined to them.
        BOOST_TEST_REQUIRE(
            wait_until([&] { return std::filesystem::exists(daemon->state_dir() + "/dead"); }));
        daemon->state();
    }
    void fail_on_a_hanging_disk() {
        disk.freeze();
        port.close();
    }
    // From the line that the action begins to the one that it has ended.
    std::chrono::milliseconds time_of(const std::string& action) const {
        BOOST_TEST_REQUIRE(daemon->wait_for_log(action + " begins"), daemon->log());
        const auto begin = Clock::now();
        BOOST_TEST(daemon->wait_for_log(action + " done: "), daemon->log());
        return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_restart_that_tells_is_done_on_a_hanging_disk_and_told_after_it) {
    Lab lab("restart,webhook");
    const pid_t before = lab.supervisord.pid("web");
    lab.fail_on_a_hanging_disk();
    BOOST_TEST(lab.time_of("restart").count() < 8'000);
    BOOST_TEST(lab.supervisord.pid("web") != before);
    BOOST_TEST(lab.daemon->wait_for_log("(without a record on disk: the disk of stateDir did not answer"));
    BOOST_TEST(lab.receiver.calls().empty());
    lab.disk.thaw();
    BOOST_TEST(lab.receiver.wait_for_calls(1), lab.daemon->log());
    BOOST_TEST(lab.receiver.calls()[0].dump().find("without a record on disk") != std::string::npos);
    BOOST_TEST(lab.daemon->count_log("is lost") == 0U);
}

BOOST_AUTO_TEST_CASE(a_restart_that_tells_nobody_is_done_on_a_hanging_disk) {
    Lab lab("restart");
    const pid_t before = lab.supervisord.pid("web");
    lab.fail_on_a_hanging_disk();
    BOOST_TEST(lab.time_of("restart").count() < 7'000);
    BOOST_TEST(lab.supervisord.pid("web") != before);
    BOOST_TEST(lab.daemon->count_log("without a record on disk") >= 1U);
}

BOOST_AUTO_TEST_CASE(a_kill_that_tells_is_done_on_a_hanging_disk_and_told_after_it) {
    Lab lab("kill,email");
    const pid_t before = lab.supervisord.pid("web");
    lab.fail_on_a_hanging_disk();
    BOOST_TEST(lab.time_of("kill").count() < 4'000);
    BOOST_TEST(lab.supervisord.pid("web") != before);
    lab.disk.thaw();
    BOOST_TEST(wait_until([&] { return !read_mails(lab.sink).empty(); }, 20s), lab.daemon->log());
    BOOST_TEST(lab.daemon->count_log("is lost") == 0U);
}

BOOST_AUTO_TEST_CASE(a_command_that_tells_is_run_on_a_hanging_disk_and_told_after_it) {
    const TempDir files;
    Lab lab("exec,email", ", execCmd: 'touch " + files.file("ran") + "'");
    lab.fail_on_a_hanging_disk();
    BOOST_TEST(lab.time_of("exec").count() < 4'000);
    BOOST_TEST(std::filesystem::exists(files.file("ran")));
    lab.disk.thaw();
    BOOST_TEST(wait_until([&] { return !read_mails(lab.sink).empty(); }, 20s), lab.daemon->log());
    BOOST_TEST(lab.daemon->count_log("is lost") == 0U);
}

BOOST_AUTO_TEST_CASE(notices_of_a_long_hang_are_told_once_and_in_their_order) {
    Lab lab("webhook");
    lab.fail_on_a_hanging_disk();
    BOOST_TEST_REQUIRE(lab.daemon->wait_for_log("-> failed"));
    lab.port.open();
    BOOST_TEST_REQUIRE(lab.daemon->wait_for_log("failed -> healthy"));
    BOOST_TEST_REQUIRE(lab.daemon->wait_for_log("notices] wait: the disk of stateDir does not answer", 30s),
                       lab.daemon->log());
    // The one that could not be ended is left, and one more tries.
    const auto writers = [&] {
        std::size_t count = 0;
        for (const ProcessInfo& child : lab.daemon->children())
            count += child.title.find("notices") != std::string::npos ? 1 : 0;
        return count;
    };
    BOOST_TEST(wait_until([&] { return writers() == 2; }), writers());
    lab.disk.thaw();
    // In one message or in two.
    std::string told;
    BOOST_TEST(wait_until(
                   [&] {
                       told.clear();
                       for (const auto& call : lab.receiver.calls())
                           told += call.dump();
                       return told.find("recovered") != std::string::npos;
                   },
                   20s),
               lab.daemon->log());
    BOOST_TEST(told.find("failed") < told.find("recovered"), told);
    BOOST_TEST(lab.receiver.calls().size() <= 2U);
    BOOST_TEST(wait_until([&] { return writers() == 0; }));
    BOOST_TEST(lab.daemon->count_log("is lost") == 0U);
}

BOOST_AUTO_TEST_CASE(state_is_written_again_after_a_hang_that_outlasted_its_writer) {
    Lab lab("email");
    lab.disk.freeze();
    lab.daemon->signal(SIGUSR1);
    BOOST_TEST(lab.daemon->wait_for_log("not written: the disk of stateDir does not answer", 15s));
    lab.daemon->signal(SIGUSR1);
    lab.disk.thaw();
    BOOST_TEST(lab.daemon->state("cat1").is_object());
}

BOOST_AUTO_TEST_CASE(healthcheckd_ends_in_three_seconds_while_its_disk_hangs) {
    Lab lab("restart,webhook");
    lab.fail_on_a_hanging_disk();
    BOOST_TEST_REQUIRE(lab.daemon->wait_for_log("restart begins"));
    const auto stopped = lab.daemon->stop();
    BOOST_TEST(stopped.status == 0);
    BOOST_TEST(stopped.took.count() < 3'000 * slower());
    BOOST_TEST(lab.daemon->count_log("not written in time at the end: memory.json, state.json") == 1U,
               lab.daemon->log());
    lab.disk.thaw();
}

BOOST_AUTO_TEST_CASE(a_restart_that_has_not_come_to_its_stop_leaves_nothing_to_be_finished) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Daemon daemon(
        supervisord.url(),
        "cat1: {program: web, type: tcp, host: 127.0.0.1, port: " + std::to_string(free_port()) +
            ", periodSeconds: 0.5, initialDelaySeconds: 2, failureThreshold: 1, action: restart}\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[web] runs with pid"));
    supervisord.signal(SIGSTOP);
    BOOST_TEST_REQUIRE(daemon.wait_for_log("restart begins"));
    BOOST_TEST(daemon.stop().status == 0);
    supervisord.signal(SIGCONT);
    BOOST_TEST(daemon.log().find("restart was not finished") != std::string::npos, daemon.log());
    BOOST_TEST(daemon.log().find("its next start sees to it") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_an_action_did_while_healthcheckd_was_stopping_is_remembered) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Daemon daemon(supervisord.url(),
                  "cat1: {program: web, type: tcp, host: 127.0.0.1, port: " + std::to_string(free_port()) +
                      ", periodSeconds: 0.2, initialDelaySeconds: 0, failureThreshold: 1, action: exec, "
                      "execCmd: 'sleep 0.7'}\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_log("exec begins"));
    BOOST_TEST(daemon.stop().status == 0);
    BOOST_TEST_REQUIRE(daemon.log().find("exec done") != std::string::npos);
    for (const std::string file : {"/memory.json", "/state.json"})
        BOOST_TEST(read_file(daemon.state_dir() + file).find("exit status 0") != std::string::npos, file);
}

BOOST_AUTO_TEST_SUITE_END()
