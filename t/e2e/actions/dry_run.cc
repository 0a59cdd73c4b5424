// `dryRun` and `enabled`: what a careful person begins with.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/mail_lab.h"
#include "t/fixture/mail/smtp_sink.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>

using namespace healthcheckd::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(e2e_dry_run)

namespace {

std::string failing_cat(const std::string& name, const std::string& more) {
    return name + ": {program: web, type: tcp, host: 127.0.0.1, port: " + std::to_string(free_port()) +
           ", periodSeconds: 0.2, initialDelaySeconds: 0, failureThreshold: 2, " + more + "}\n";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_dry_run_decides_and_tells_and_does_nothing) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const SmtpSink sink(plain_sink());
    const pid_t pid = supervisord.pid("web");
    const std::filesystem::path mark = supervisord.dir().file("mark");
    for (const auto& [action, plan] :
         {std::pair<std::string, std::string>{"restart",
                                              "would restart web (pid " + std::to_string(pid) + ")"},
          {"kill", "would send SIGKILL to web (pid " + std::to_string(pid) + ")"},
          {"exec", "would run its execCmd"}})
        BOOST_TEST_CONTEXT(action) {
            const std::size_t mails = sink.mails().size();
            const Daemon daemon(supervisord.url(),
                                failing_cat("cat1", "dryRun: true, execCmd: 'touch " + mark.string() +
                                                        "', action: '" + action + ",email'"),
                                {.config_lines = plain_mail(sink)});
            BOOST_TEST(daemon.wait_for_log(action + " done: dry run, nothing was done: " + plan));
            BOOST_TEST_REQUIRE(sink.wait_for_mails(mails + 1, 20s));
            BOOST_TEST(read_mails(sink).back().says(plan));
            BOOST_TEST(supervisord.pid("web") == pid);
            BOOST_TEST(!std::filesystem::exists(mark));
            // It fires again as a cat does whose action did not help.
            BOOST_TEST(daemon.wait_for_log("dry run, nothing was done", 20s, 2));
        }
}

BOOST_AUTO_TEST_CASE(a_dry_run_of_config_is_one_of_every_cat) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const pid_t pid = supervisord.pid("web");
    const Daemon daemon(supervisord.url(),
                        failing_cat("cat1", "action: kill") + failing_cat("cat2", "action: restart"),
                        {.config_lines = "dryRun: yes"});
    BOOST_TEST(daemon.wait_for_log("[cat1 web] kill done: dry run, nothing was done"));
    BOOST_TEST(daemon.wait_for_log("[cat2 web] restart done: dry run, nothing was done"));
    BOOST_TEST(supervisord.pid("web") == pid);
}

BOOST_AUTO_TEST_CASE(a_cat_that_is_not_enabled_is_shown_and_never_probed) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const Daemon daemon(supervisord.url(),
                        failing_cat("off", "enabled: no, action: kill") + failing_cat("on", "action: email"));
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[on web] failing -> failed"));
    const auto off = daemon.state("off");
    BOOST_TEST(off["state"] == "disabled");
    BOOST_TEST(off["probes"] == 0);
    BOOST_TEST(off["worker"]["pid"] == 0);
    BOOST_TEST(daemon.child("healthcheckd: off [") == 0);
}

BOOST_AUTO_TEST_SUITE_END()
