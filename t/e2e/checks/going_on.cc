// What goes on is shown while it does: a restart that takes its time, what was done and how often, and the
// end of a log that supervisord cannot give.
#include "t/fixture/basics.h"
#include "t/fixture/daemon/control_stub.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/mail_lab.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <regex>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_going_on)

namespace {

std::string greedy(const std::string& name, const std::string& program, const std::string& rest) {
    return name + ": {program: '" + program + "', type: mem, maxMem: 0.1, periodSeconds: 0.2, " +
           "initialDelaySeconds: 0, failureThreshold: 2, " + rest + "}\n";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_restart_is_shown_from_its_beginning_with_supervisords_word_for_the_program) {
    const Supervisord supervisord({{.name = "web",
                                    .command = "/bin/sh -c 'trap \"\" TERM; while :; do sleep 0.2; done'",
                                    .extra = "stopwaitsecs=4"}});
    const Daemon daemon(supervisord.url(), greedy("cat1", "web", "action: restart"));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("cat1",
                                             [](const auto& cat) {
                                                 const auto& running = cat["actions"]["running"];
                                                 return running.is_object() && running["kind"] == "restart" &&
                                                        running["phase"] == "STOPPING";
                                             }),
                       daemon.log());
    const std::string shown = healthcheckctl(daemon.socket(), {"status"}).output;
    BOOST_TEST(std::regex_search(shown, std::regex("failed, restarting for [0-9]+ s \\(STOPPING\\)")), shown);
    BOOST_TEST(has(daemon.log(), "failed, restarting for "), daemon.log());
    const std::string history = healthcheckctl(daemon.socket(), {"history", "cat1"}).output;
    BOOST_TEST(has(history, "restart begins"), history);
    BOOST_TEST(!has(history, "restart done"), history);
    BOOST_TEST(daemon.wait_for_log("restart done: ", 20s), daemon.log());
    BOOST_TEST(daemon.wait_for_state("cat1", [](const auto& cat) {
        return cat["actions"]["running"].is_null() || cat["actions"]["fired"] == 2;
    }));
}

BOOST_AUTO_TEST_CASE(what_was_not_done_is_not_counted_as_fired) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    // The second cat comes due, again and again, while the first one's command works at the program.
    const Daemon daemon(supervisord.url(), greedy("busy", "web", "action: exec, execCmd: 'sleep 1000'") +
                                               greedy("late", "web", "action: exec, execCmd: 'sleep 1000'"));
    BOOST_TEST(daemon.wait_for_log("dropped: exec of ", 20s, 3), daemon.log());
    const int fired = daemon.state("busy")["actions"]["fired"].get<int>() +
                      daemon.state("late")["actions"]["fired"].get<int>();
    BOOST_TEST(fired == 1, daemon.log());
}

BOOST_AUTO_TEST_CASE(a_log_that_supervisord_cannot_give_comes_from_its_file_or_is_said_to_be_missing) {
    for (const bool readable : {true, false})
        BOOST_TEST_CONTEXT("readable: " << readable) {
            const TempDir dir;
            const std::string log = dir.file("web.err");
            const Supervisord supervisord(
                {{.name = "web",
                  .command =
                      "/bin/sh -c 'for i in $(seq 2000); do printf \"\\377\\376\\n\"; done >&2; echo \"last "
                      "\\033[31mwords\\033[0m\" >&2; exec sleep 1000'",
                  .extra = "stderr_logfile=" + log}});
            std::filesystem::permissions(dir.path(), std::filesystem::perms(readable ? 0755 : 0700));
            const SmtpSink sink(plain_sink());
            const Daemon daemon(supervisord.url(), greedy("cat1", "web", "action: email"),
                                {.config_lines = plain_mail(sink)});
            BOOST_TEST_REQUIRE(sink.wait_for_mails(1, 30s), daemon.log());
            const ReadMail mail = read_mails(sink)[0];
            BOOST_TEST(mail.says("supervisord cannot give it (its bytes may not be UTF-8)"), sink.mails()[0]);
            if (readable)
                BOOST_TEST(mail.says("    last words"), sink.mails()[0]);
            else
                BOOST_TEST(mail.says("nor can the file be read: " + log + ": Permission denied"),
                           sink.mails()[0]);
        }
}

// Its first tick comes when supervisord is not there, or before the program has its initial delay behind it.
BOOST_AUTO_TEST_CASE(the_first_probe_of_an_hourly_check_does_not_wait_for_a_supervisord_that_comes_later) {
    Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    supervisord.down();
    const std::string hourly =
        ": {program: web, type: mem, maxMem: 1000, periodSeconds: 3600, action: email, "
        "initialDelaySeconds: ";
    const Daemon daemon(supervisord.url(),
                        "soon" + hourly + "0}\nlate" + hourly + "3}\nfound" + hourly + "0, pidGet: name}\n");
    BOOST_TEST(daemon.wait_for_state("soon", [](const auto& cat) { return cat["probes"] == 1; }));
    BOOST_TEST(daemon.state("soon")["state"] == "starting");
    supervisord.up();
    for (const char* cat : {"soon", "late"})
        BOOST_TEST(daemon.wait_for_state(
                       cat, [](const auto& state) { return state["state"] == "healthy"; }, 30s),
                   daemon.log());
    BOOST_TEST(daemon.wait_for_state(
        "found", [](const auto& state) { return state["state"] != "starting"; }, 30s));
}

// Its first tick comes before supervisord has answered.
BOOST_AUTO_TEST_CASE(the_first_probe_of_an_hourly_check_does_not_wait_for_the_second_tick) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    supervisord.signal(SIGSTOP);
    const Daemon daemon(supervisord.url(),
                        "web: {program: web, type: mem, maxMem: 1000, periodSeconds: 3600, "
                        "initialDelaySeconds: 0, action: email}\n");
    std::this_thread::sleep_for(2s);  // the first tick is a second after the start at the latest
    BOOST_TEST(daemon.state("web")["probes"] == 0);
    supervisord.signal(SIGCONT);
    BOOST_TEST(daemon.wait_for_state("web", [](const auto& cat) { return cat["state"] == "healthy"; }),
               daemon.log());
}

BOOST_AUTO_TEST_SUITE_END()
