// What people are told, how often, and in which words.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/mail_lab.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <thread>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_notices)

namespace {

std::string tcp_cat(const std::string& name, const std::string& program, int port, const std::string& more) {
    return name + ": {program: " + program +
           ", type: tcp, host: 127.0.0.1, initialDelaySeconds: 0, periodSeconds: 0.2, failureThreshold: 1, "
           "port: " +
           std::to_string(port) + ", " + more + "}\n";
}

std::vector<ReadMail> wait_for_mails(const SmtpSink& sink, std::size_t count) {
    BOOST_TEST_REQUIRE(sink.wait_for_mails(count, 20s));
    return read_mails(sink);
}

}  // namespace

BOOST_AUTO_TEST_CASE(two_hundred_failures_at_once_make_at_most_three_mails_that_name_each) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const SmtpSink sink(plain_sink());
    const int port = free_port();
    std::string cats;
    for (int i = 0; i < 200; ++i)
        cats += "c" + std::to_string(1000 + i) +
                ": {program: web, type: tcp, host: 127.0.0.1, port: " + std::to_string(port) +
                ", periodSeconds: 1, failureThreshold: 2, action: email}\n";
    const std::string digest = ", digestSeconds: " + std::to_string(10 * slower());
    const Daemon daemon(supervisord.url(), cats, {.config_lines = plain_mail(sink, digest)});
    const auto named = [&] {
        std::size_t count = 0;
        const auto mails = read_mails(sink);
        for (int i = 0; i < 200; ++i) {
            const std::string name = "c" + std::to_string(1000 + i);
            count +=
                std::ranges::any_of(mails, [&](const ReadMail& mail) { return mail.says(name); }) ? 1 : 0;
        }
        return count;
    };
    BOOST_TEST(wait_until([&] { return named() == 200; }, 60s));
    BOOST_TEST(sink.mails().size() <= 3u);
}

BOOST_AUTO_TEST_CASE(a_cat_that_goes_on_failing_is_told_again_as_a_reminder_and_no_oftener) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const SmtpSink sink(plain_sink());
    const Daemon daemon(supervisord.url(), tcp_cat("cat1", "web", free_port(), "action: email"),
                        {.config_lines = plain_mail(sink, ", reminderSeconds: 3")});
    const auto mails = wait_for_mails(sink, 3);
    BOOST_TEST(mails[0].is_about("web tcp check failed"));
    BOOST_TEST(!mails[0].is_about("reminder"));
    for (int i = 1; i < 3; ++i) {
        BOOST_TEST(mails[i].is_about("web tcp check failed (reminder)"));
        BOOST_TEST(mails[i].says("Reminder    told first at "));
        // By the sink's clock: a slow build or machine may have been late with the one before.
        BOOST_TEST((mails[i].received - mails[i - 1].received >= (slower() > 1 ? 2000ms : 2900ms)));
    }
}

BOOST_AUTO_TEST_CASE(a_recovery_comes_only_after_its_failure_was_told) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const SmtpSink sink(plain_sink());
    WatchedPort port(false);
    // It fails, but never often enough.
    Daemon daemon(supervisord.url(),
                  "cat1: {program: web, type: tcp, host: 127.0.0.1, initialDelaySeconds: 0, periodSeconds: "
                  "0.2, port: " +
                      std::to_string(port.number()) +
                      ", failureThreshold: 1000, action: email, sendResolved: yes}\n",
                  {.config_lines = plain_mail(sink)});
    BOOST_TEST(daemon.wait_for_state("cat1", [](const auto& cat) { return cat["failures"] > 3; }));
    port.open();
    BOOST_TEST(daemon.wait_for_state("cat1", [](const auto& cat) { return cat["successes"] > 5; }));
    BOOST_TEST(sink.mails().empty());
}

BOOST_AUTO_TEST_CASE(names_in_chinese_the_last_verdicts_and_the_end_of_the_log_read_right) {
    const std::string gateway = "\xe7\xbd\x91\xe5\x85\xb3";
    const std::string no_memory = "\xe5\x86\x85\xe5\xad\x98\xe4\xb8\x8d\xe8\xb6\xb3";
    // The log is longer than what is shown, and its characters of three bytes fit no round number.
    const Supervisord supervisord(
        {{.name = gateway,
          .command =
              "/bin/sh -c 'for i in $(seq 300); do echo " + no_memory + " $i; done >&2; exec sleep 1000'"},
         {.name = "merged",
          .command = "/bin/sh -c 'printf \"Subject: x\\r\\nBcc: evil@test.local\\r\\n.\\r\\nlast words\\n\" "
                     ">&2; exec sleep 1000'",
          .extra = "redirect_stderr=true"}});
    const SmtpSink sink(plain_sink());
    const Daemon daemon(
        supervisord.url(),
        tcp_cat("cat1", gateway, free_port(), "action: email") +
            "cat2: {program: merged, type: mem, maxMem: 0.1, periodSeconds: 0.2, initialDelaySeconds: 2, "
            "failureThreshold: 6, action: 'exec,email', execCmd: 'printf \"a\\r\\nBcc: b@c\\n\"'}\n",
        {.config_lines = plain_mail(sink)});
    const auto mails = wait_for_mails(sink, 2);
    BOOST_TEST(mails[0].is_about(": " + gateway + " tcp check failed"));
    BOOST_TEST(mails[0].says("Program     " + gateway));
    BOOST_TEST(mails[0].says("stderr log"));
    BOOST_TEST(mails[0].says(no_memory + " 300"));
    BOOST_TEST(!mails[0].says(no_memory + " 1\n"));
    BOOST_TEST(mails[1].says("stdout log"));
    BOOST_TEST(mails[1].says("    last words"));
    BOOST_TEST(mails[1].says("    Bcc: b@c"));
    std::size_t verdicts = 0;
    for (std::size_t at = 0; (at = mails[1].body.find("  failure  rss ", at)) != std::string::npos; ++at)
        ++verdicts;
    BOOST_TEST(verdicts == 5u);
    for (const ReadMail& mail : mails)
        BOOST_TEST(std::ranges::count(mail.headers, "Bcc") == 0);
}

BOOST_AUTO_TEST_CASE(templates_of_the_configuration_are_used) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const SmtpSink sink(plain_sink());
    const Daemon daemon(
        supervisord.url(), tcp_cat("cat1", "web", free_port(), "action: email"),
        {.config_lines =
             plain_mail(sink, ", subject: '{program} of {cat}: {event}', body: '{{{message}}} {details}'")});
    const auto mails = wait_for_mails(sink, 1);
    BOOST_TEST(mails[0].subject == "web of cat1: failed");
    BOOST_TEST(mails[0].body.starts_with("{connection refused} web's tcp check cat1 failed on "));
}

BOOST_AUTO_TEST_CASE(a_spool_that_somebody_removes_is_made_again_and_what_comes_then_is_told) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const SmtpSink sink(plain_sink());
    WatchedPort port(true);
    const Daemon daemon(supervisord.url(), tcp_cat("cat1", "web", port.number(), "action: email"),
                        {.config_lines = plain_mail(sink)});
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("cat1", [](const auto& cat) { return cat["state"] == "healthy"; }));
    std::filesystem::remove_all(daemon.state_dir() + "/spool");
    port.close();
    BOOST_TEST(sink.wait_for_mails(1, 20s));
    BOOST_TEST(daemon.count_log("the spool was taken away") == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
