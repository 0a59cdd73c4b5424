// Why a program does not run is told apart, and what is being stopped is left to those who stop it.
#include "t/fixture/daemon/control_stub.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/smtp_sink.h"
#include "t/fixture/net/open_port.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_program_states)

namespace {

// Takes 6 s to end when it is asked to.
const SupervisedProgram kSlow{.name = "web",
                              .command =
                                  "/bin/sh -c 'trap \"sleep 6; exit 0\" TERM; while :; do sleep 0.1; done'",
                              .extra = "stopwaitsecs=20"};

// A port that is open at first, and a cat that wants it open.
struct Port {
    int number = free_port();
    std::unique_ptr<OpenPort> listening = std::make_unique<OpenPort>(number);
    std::string cat(const std::string& more) const {
        return "cat4: {program: web, type: tcp, host: 127.0.0.1, periodSeconds: 0.3, port: " +
               std::to_string(number) + ", " + more + "}\n";
    }
};

bool healthy(const nlohmann::json& state) {
    return state["state"] == "healthy";
}

}  // namespace

BOOST_AUTO_TEST_CASE(exited_fatal_and_backoff_are_told_apart_in_log_state_and_mail) {
    struct Row {
        const char* name;
        std::string extra;
        std::string text;
        const char* state;
        const char* in_mail;
    };
    // Each runs until it is killed, and ends at once when it has been started again.
    const std::string crash = "/bin/sh -c 'test -e %(program_name)s && exit 3; touch %(program_name)s; exec "
                              "sleep 1000'";
    const std::vector<Row> rows{
        {"ended", "autorestart=unexpected\nexitcodes=3", "EXITED with status 3", "EXITED",
         "State       EXITED with status 3"},
        {"retried", "autorestart=true\nstartsecs=1\nstartretries=100", "BACKOFF: Exited too quickly",
         "BACKOFF", "State       BACKOFF: Exited too quickly"},
        {"given-up", "autorestart=true\nstartsecs=1\nstartretries=1", "FATAL: Exited too quickly", "FATAL",
         "State       FATAL: Exited too quickly"}};
    std::vector<SupervisedProgram> programs;
    std::string cats;
    for (const Row& row : rows) {
        programs.push_back({.name = row.name, .command = crash, .extra = row.extra});
        cats += std::string(row.name) + ": {program: " + row.name +
                ", type: restart, periodSeconds: 3600, initialDelaySeconds: 0, failureThreshold: 1, "
                "action: email}\n";
    }
    const SmtpSink sink;
    const Supervisord supervisord(programs);
    for (const Row& row : rows)
        BOOST_TEST_REQUIRE(supervisord.wait_state(row.name, "RUNNING"));
    const Daemon daemon(
        supervisord.url(), cats,
        {.config_lines = "mail: {host: localhost, digestSeconds: 0.2, reminderSeconds: 0, port: " +
                         std::to_string(sink.port()) + ", user: " + sink.options().user + ", pass: '" +
                         sink.options().password + "', to_list: [ops@test.local], caFile: " + sink.ca_file() +
                         "}\n"});
    for (const Row& row : rows)
        BOOST_TEST_REQUIRE(daemon.wait_for_state(row.name, healthy));
    // From here on by request alone: a mail has the state that is known when a check fails.
    const auto check = [&](const std::string& name) {
        return healthcheckctl(daemon.socket(), {"check", name}).status;
    };
    for (const Row& row : rows)
        BOOST_TEST_CONTEXT(row.name) {
            const std::string name = row.name;
            send_signal(supervisord.running_pid(name), SIGKILL);
            BOOST_TEST(daemon.wait_for_log("[" + name + "] is " + row.text));
            BOOST_TEST(wait_until(
                [&] { return check(name) >= 0 && daemon.state(name)["programState"] == row.state; }));
            BOOST_TEST(wait_until(
                [&] {
                    for (const std::string& mail : sink.mails())
                        if (mail.find("Program     " + name) != std::string::npos &&
                            mail.find(row.in_mail) != std::string::npos)
                            return true;
                    check(name);
                    return false;
                },
                20s));
        }
}

BOOST_AUTO_TEST_CASE(while_supervisord_shuts_down_nothing_is_restarted_or_killed) {
    for (const std::string action : {"restart", "kill"})
        BOOST_TEST_CONTEXT(action) {
            const Supervisord supervisord({kSlow});
            Port port;
            const Daemon daemon(supervisord.url(), port.cat("failureThreshold: 2, action: " + action));
            BOOST_TEST_REQUIRE(daemon.wait_for_state("cat4", healthy));
            const pid_t pid = supervisord.pid("web");
            supervisord.signal(SIGTERM);
            port.listening.reset();
            BOOST_TEST(
                daemon.wait_for_log("[cat4 web] " + action + " failed: supervisord is shutting down; "));
            BOOST_TEST(alive(pid));
            BOOST_TEST(daemon.log().find("SIGKILL") == std::string::npos);
            // It gets the time that supervisord gives it.
            BOOST_TEST(wait_until([&] { return !alive(pid); }, 15s));
            const auto noted = [&] {  // supervisord reaps and logs a while after the end
                return supervisord.log().find("stopped: web (exit status 0)") != std::string::npos;
            };
            BOOST_TEST(wait_until(noted));
        }
}

BOOST_AUTO_TEST_CASE(a_first_failure_kills_nothing_that_an_operator_is_stopping) {
    const Supervisord supervisord({kSlow});
    Port port;
    const Daemon daemon(supervisord.url(), port.cat("failureThreshold: 1, action: kill"));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("cat4", healthy));
    Subprocess operator_stop(
        {"/usr/bin/supervisorctl", "-c", supervisord.dir().file("supervisord.conf"), "stop", "web"});
    BOOST_TEST_REQUIRE(supervisord.wait_state("web", "STOPPING"));
    port.listening.reset();
    BOOST_TEST(daemon.wait_for_log("kill failed: web is being stopped by somebody else; not killed"));
    BOOST_TEST(supervisord.wait_state("web", "STOPPED", 15s));
    BOOST_TEST(supervisord.log().find("stopped: web (exit status 0)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_program_is_killed_although_supervisord_does_not_answer) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Port port;
    const Daemon daemon(supervisord.url(), port.cat("failureThreshold: 2, action: kill"));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("cat4", healthy));
    supervisord.signal(SIGSTOP);
    port.listening.reset();
    BOOST_TEST(daemon.wait_for_log("kill done: killed pid"));
    supervisord.signal(SIGCONT);
}

BOOST_AUTO_TEST_SUITE_END()
