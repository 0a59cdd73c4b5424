// healthcheckd --test-mail: does mail arrive, and if not, why?
#include "t/fixture/basics.h"
#include "t/fixture/mail/smtp_sink.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_trial_mail)

namespace {

// A configuration for `sink`, and what --test-mail made of it.
struct Call {
    TempDir dir;
    CommandResult result;

    Call(const SmtpSink& sink, const std::string& more) {
        run("config: {stateDir: " + dir.file("state") + ", mail: {host: localhost, port: " +
            std::to_string(sink.port()) + ", user: " + sink.options().user + ", caFile: " + sink.ca_file() +
            ", to_list: [a@test.local, b@test.local], " + more + "}}\n" +
            "cat1: {program: web, type: mem}\n");
    }
    explicit Call(const std::string& config) { run(config); }

    bool says(std::string_view part) const { return result.output.find(part) != std::string::npos; }
    std::string last_line() const {
        const std::size_t end = result.output.find_last_not_of('\n');
        return result.output.substr(result.output.rfind('\n', end) + 1);
    }

private:
    void run(const std::string& config) {
        const std::string file = dir.write("config.yaml", config, 0600);
        result = run_command({healthcheckd_binary(), "--test-mail", "-c", file}, 40s);
    }
};

std::string pass_of(const SmtpSink& sink) {
    return "pass: '" + sink.options().password + "'";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_mail_that_arrives_is_status_0_with_the_dialogue_and_without_the_password) {
    for (const SmtpSink::Tls tls : {SmtpSink::Tls::implicit, SmtpSink::Tls::starttls}) {
        const SmtpSink sink({.tls = tls});
        const Call call(sink, pass_of(sink) + (tls == SmtpSink::Tls::implicit ? "" : ", tls: starttls"));
        BOOST_TEST_CONTEXT(call.result.output) {
            BOOST_TEST(call.result.status == 0);
            for (const char* part : {"> EHLO ", "> AUTH ", "********", "> MAIL FROM:<ops@test.local>",
                                     "> RCPT TO:<a@test.local>", "> RCPT TO:<b@test.local>", "> DATA",
                                     "< 220 ", "< 235 ", "< 250 ", "< 354 ", "* "})
                BOOST_TEST(call.says(part), part << " is missing");
            BOOST_TEST(call.says("> STARTTLS") == (tls == SmtpSink::Tls::starttls));
            BOOST_TEST(call.last_line().starts_with("sent: "));
            BOOST_TEST(!call.says(sink.options().password));
            // As AUTH PLAIN and AUTH LOGIN send it.
            BOOST_TEST(!call.says("AG9wc0B0ZXN0LmxvY2FsAHMzY3JldC1NYWlsLVBhNTU="));
            BOOST_TEST(!call.says("czNjcmV0LU1haWwtUGE1NQ=="));
        }
        BOOST_TEST_REQUIRE(sink.mails().size() == 1U);
        BOOST_TEST(sink.mails()[0].find("this is a test") != std::string::npos, sink.mails()[0]);
        // Nothing of it goes by the spool, which belongs to a daemon that may be running.
        BOOST_TEST(!std::filesystem::exists(call.dir.file("state")));
    }
}

BOOST_AUTO_TEST_CASE(a_refused_login_is_status_1_with_the_servers_words) {
    const SmtpSink sink;
    const Call call(sink, "pass: s3cret-but-wrong");
    BOOST_TEST_CONTEXT(call.result.output) {
        BOOST_TEST(call.result.status == 1);
        BOOST_TEST(call.says("< 535 5.7.8"));
        BOOST_TEST(call.last_line().starts_with("NOT sent: "));
        BOOST_TEST(call.last_line().find("login: ") != std::string::npos);
        BOOST_TEST(!call.says("s3cret-but-wrong"));
        BOOST_TEST(!call.says("> MAIL"));
    }
    BOOST_TEST(sink.mails().empty());
}

BOOST_AUTO_TEST_CASE(one_refused_recipient_is_status_1_and_named) {
    SmtpSink sink;
    sink.fail("rcpt:a@test.local", "550 5.1.1 no such user");
    const Call call(sink, pass_of(sink));
    BOOST_TEST_CONTEXT(call.result.output) {
        BOOST_TEST(call.result.status == 1);
        BOOST_TEST(call.last_line().starts_with("NOT sent: "));
        BOOST_TEST(call.last_line().find("a@test.local: 550 5.1.1 no such user") != std::string::npos);
    }
    BOOST_TEST(sink.mails().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_server_that_is_not_trusted_or_down_is_status_1) {
    SmtpSink sink;
    const SmtpSink stranger({.cert_names = "DNS:other.test"});
    const Call untrusted(stranger, pass_of(stranger));
    BOOST_TEST(untrusted.result.status == 1);
    BOOST_TEST(untrusted.last_line().find("certificate") != std::string::npos, untrusted.result.output);
    BOOST_TEST(stranger.commands() == "");
    sink.stop();
    const Call down(sink, pass_of(sink));
    BOOST_TEST(down.result.status == 1);
    BOOST_TEST(down.last_line().starts_with("NOT sent: localhost:"), down.result.output);
    BOOST_TEST(!down.says(sink.options().password));
}

BOOST_AUTO_TEST_CASE(the_templates_of_the_configuration_are_used) {
    const SmtpSink sink;
    const Call call(sink, pass_of(sink) + R"(, subject: 'probe {cat}', body: "own text {message}\nend")");
    BOOST_TEST(call.result.status == 0, call.result.output);
    BOOST_TEST_REQUIRE(sink.mails().size() == 1U);
    const std::string mail = sink.mails()[0];
    BOOST_TEST(mail.find("Subject: probe --test-mail\r\n") != std::string::npos, mail);
    BOOST_TEST(mail.find("\r\n\r\nown text this is a test") != std::string::npos, mail);
    BOOST_TEST(mail.find("\r\nend") != std::string::npos, mail);
}

BOOST_AUTO_TEST_CASE(a_file_without_mail_or_with_an_error_is_status_1_and_says_so) {
    const Call none("cat1: {program: web, type: mem, action: restart}\n");
    BOOST_TEST(none.result.status == 1);
    BOOST_TEST(none.says("there is no config.mail"), none.result.output);
    const Call bad("config: {mail: {hots: localhost}}\ncat1: {program: web, type: mem}\n");
    BOOST_TEST(bad.result.status == 1);
    BOOST_TEST(bad.says("config.mail.hots: unknown key 'hots'; did you mean 'host'?"), bad.result.output);
}

BOOST_AUTO_TEST_SUITE_END()
