// Mails about failures and recoveries, over TLS with login, to a real SMTP server.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/mail_lab.h"
#include "t/fixture/net/open_port.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_mail)

namespace {

std::string mail_section(const SmtpSink& sink, const std::string& more = "") {
    return "mail: {host: localhost, port: " + std::to_string(sink.port()) + ", user: " + sink.options().user +
           ", pass: '" + sink.options().password +
           "', digestSeconds: 0.2, to_list: [ops@test.local, 'boss@test.local'], caFile: " + sink.ca_file() +
           more + "}";
}

std::string tcp_cat(int port, const std::string& more) {
    return "cat4: {program: web, type: tcp, host: 127.0.0.1, periodSeconds: 0.3, port: " +
           std::to_string(port) + ", " + more + "}\n";
}

}  // namespace

BOOST_AUTO_TEST_CASE(failure_and_resolved_mail_arrive_over_implicit_tls_with_login) {
    const SmtpSink sink;
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const int port = free_port();
    Daemon daemon(supervisord.url(),
                  tcp_cat(port, "action: 'exec,email', execCmd: 'echo tried to mend', sendResolved: yes"),
                  {.config_lines = mail_section(sink, ", tls: implicit")});
    BOOST_TEST_REQUIRE(sink.wait_for_mails(1, 20s));
    const std::string failed = sink.mails()[0];
    for (const char* part :
         {"web", "cat4", "tcp", "connection refused", "exec", "tried to mend", "exit status 0"})
        BOOST_TEST(failed.find(part) != std::string::npos, part << " is missing in " << failed);
    BOOST_TEST(sink.envelopes()[0].find("boss@test.local") != std::string::npos);
    BOOST_TEST(sink.commands().find("auth tls") != std::string::npos);

    const OpenPort mended(port);
    BOOST_TEST(daemon.wait_for_state("cat4", [](const auto& state) { return state["state"] == "healthy"; }));
    const auto resolved_arrived = [&] {
        for (const std::string& mail : sink.mails())
            if (mail.find("recovered") != std::string::npos)
                return true;
        return false;
    };
    BOOST_TEST(wait_until(resolved_arrived, 20s));
    BOOST_TEST(daemon.log().find(sink.options().password) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(mail_goes_by_starttls_and_says_what_the_restart_did) {
    const SmtpSink sink({.tls = SmtpSink::Tls::starttls});
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const Daemon daemon(supervisord.url(), tcp_cat(free_port(), "action: 'restart,email'"),
                        {.config_lines = mail_section(sink, ", tls: starttls")});
    BOOST_TEST_REQUIRE(sink.wait_for_mails(1, 20s));
    BOOST_TEST(sink.mails()[0].find("stopped pid") != std::string::npos);
    BOOST_TEST(sink.commands().find("auth clear") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(without_resolved_wish_none_is_sent) {
    const SmtpSink sink;
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const int port = free_port();
    Daemon daemon(supervisord.url(), tcp_cat(port, "action: email"),
                  {.config_lines = mail_section(sink, ", tls: implicit")});
    BOOST_TEST_REQUIRE(sink.wait_for_mails(1, 20s));
    const OpenPort mended(port);
    BOOST_TEST(daemon.wait_for_state("cat4", [](const auto& state) { return state["state"] == "healthy"; }));
    BOOST_TEST(daemon.wait_for_state("cat4", [](const auto& state) { return state["successes"] > 3; }));
    for (const std::string& mail : sink.mails())
        BOOST_TEST(mail.find("recovered") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_cat_that_cannot_be_checked_sends_one_notice) {
    const SmtpSink sink;
    const Supervisord supervisord({});
    Daemon daemon(supervisord.url(), tcp_cat(free_port(), "action: 'restart,email', failureThreshold: 2"),
                  {.config_lines = mail_section(sink, ", tls: implicit")});
    BOOST_TEST_REQUIRE(sink.wait_for_mails(1, 20s));
    BOOST_TEST(sink.mails()[0].find("has no program") != std::string::npos);
    const auto probes = daemon.state("cat4")["probes"].get<int>();
    BOOST_TEST(
        daemon.wait_for_state("cat4", [&](const auto& state) { return state["probes"] > probes + 6; }));
    BOOST_TEST(sink.mails().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_refused_login_is_not_tried_again_soon_and_trusts_the_authorities_of_the_system) {
    SmtpSink sink;
    sink.fail("auth", "535 5.7.8 wrong");
    // Readable by root only: the mailer reads it before it becomes nobody.
    const TempDir dir;
    const std::string authorities = dir.write("ca.pem", read_file(sink.ca_file()), 0600);
    std::string section = mail_section(sink, ", tls: implicit");
    section.replace(section.find(", caFile: "), (", caFile: " + sink.ca_file()).size(), "");
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const Daemon daemon(supervisord.url(), tcp_cat(free_port(), "action: email"),
                        {.env = {{"SSL_CERT_FILE", authorities}}, .config_lines = section});
    BOOST_TEST(daemon.wait_for_log("(localhost:" + std::to_string(sink.port()) + ": login: "));
    // 15 minutes, a fifth more or less: some servers lock out whoever goes on.
    const std::string log = daemon.log();
    const std::size_t wait = log.find("; try 2 in ");
    BOOST_TEST_REQUIRE(wait != std::string::npos);
    BOOST_TEST(std::atoi(log.c_str() + wait + std::string("; try 2 in ").size()) >= 720);
}

BOOST_AUTO_TEST_CASE(a_mail_that_the_server_puts_off_is_tried_again) {
    SmtpSink sink;
    sink.fail("mail", "451 4.3.0 try later");
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const Daemon daemon(supervisord.url(), tcp_cat(free_port(), "action: email"),
                        {.config_lines = mail_section(sink, ", tls: implicit")});
    BOOST_TEST_REQUIRE(daemon.wait_for_log("not sent yet: "));
    BOOST_TEST(sink.mails().empty());
    sink.mend();
    BOOST_TEST(sink.wait_for_mails(1, 20s));
    BOOST_TEST(daemon.wait_for_log("[mail] sent: "));
}

BOOST_AUTO_TEST_CASE(a_stop_waits_for_a_server_that_takes_a_mail_slowly) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    SmtpSink sink(plain_sink());
    sink.fail("message", "wait 1.6");
    const TempDir state;
    Daemon daemon(supervisord.url(), tcp_cat(free_port(), "action: email"),
                  {.config_lines = plain_mail(sink), .state_dir = state.path()});
    BOOST_TEST_REQUIRE(sink.wait_for_mails(1));
    const Daemon::Stopped end = daemon.stop();
    BOOST_TEST((end.took <= 3s * slower()), "took " << end.took.count() << " ms to stop");
    // A message that is still there would be sent once more by the next life.
    BOOST_TEST(spooled(state.path(), ".message").empty());
    BOOST_TEST(daemon.log().find("[mail] sent: ") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
