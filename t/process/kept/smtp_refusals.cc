// What becomes of a mail that a server refuses, puts off or never answers.
#include "master/mailer/delivery/delivery.h"
#include "t/fixture/basics.h"
#include "t/fixture/mail/mail_client.h"
#include "t/fixture/mail/smtp_sink.h"
#include "t/fixture/slower.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::test;
using namespace healthcheckd::master;

BOOST_AUTO_TEST_SUITE(e2e_smtp_refusals)

namespace {

using Clock = std::chrono::steady_clock;
using Tls = SmtpSink::Tls;

}  // namespace

BOOST_AUTO_TEST_CASE(a_mail_to_nobody_is_no_success) {
    const SmtpSink sink;
    MailMessage message = MailClient(sink).message();
    message.recipients.clear();
    const MailResult result = MailClient(sink).send(message);
    BOOST_TEST(!result.ok);
    BOOST_TEST(result.permanent);
}

BOOST_AUTO_TEST_CASE(a_server_that_is_down_is_told) {
    SmtpSink sink;
    sink.stop();
    const MailResult result = MailClient(sink).send();
    BOOST_TEST(!result.ok);
    BOOST_TEST(!result.permanent);
    BOOST_TEST(has(result.message, "localhost:" + std::to_string(sink.port()) + ": connection: "),
               result.message);
}

BOOST_AUTO_TEST_CASE(a_hang_in_any_phase_ends_at_the_limit_and_is_named) {
    for (const auto& [phase, told] :
         std::initializer_list<std::pair<std::string, std::string>>{{"connect", "TLS handshake"},
                                                                    {"greeting", "greeting"},
                                                                    {"ehlo", "greeting"},
                                                                    {"auth", "login"},
                                                                    {"mail", "sender"},
                                                                    {"rcpt", "recipient"},
                                                                    {"data", "message"},
                                                                    {"message", "message"}}) {
        SmtpSink sink;
        sink.fail(phase, "hang");
        const auto start = Clock::now();
        const MailResult result = MailClient(sink).send(700ms);
        const auto took = Clock::now() - start;
        BOOST_TEST(!result.ok);
        BOOST_TEST(!result.permanent);
        BOOST_TEST(has(result.message, told + ": no answer within "), phase + ": " + result.message);
        BOOST_TEST((took >= 600ms && took < 3s * slower()), phase);
    }
    for (const auto& [phase, told] : std::initializer_list<std::pair<std::string, std::string>>{
             {"connect", "greeting"}, {"starttls", "STARTTLS"}, {"tls", "STARTTLS"}}) {
        SmtpSink sink({.tls = Tls::starttls});
        sink.fail(phase, "hang");
        const MailResult result = MailClient(sink, MailTls::starttls).send(700ms);
        BOOST_TEST(has(result.message, told + ": no answer within "), phase + ": " + result.message);
    }
}

BOOST_AUTO_TEST_CASE(a_hang_after_the_mail_was_taken_neither_delays_nor_fails) {
    SmtpSink sink;
    sink.fail("quit", "hang");
    const auto start = Clock::now();
    BOOST_TEST(MailClient(sink).send(10s).ok);
    BOOST_TEST((Clock::now() - start < 5s * slower()));
}

BOOST_AUTO_TEST_CASE(refused_for_now_is_not_refused_for_good) {
    struct Row {
        std::string phase, answer, told;
        bool permanent;
    };
    for (const Row& row : std::initializer_list<Row>{{"greeting", "421 busy", "greeting", false},
                                                     {"greeting", "554 go away", "greeting", false},
                                                     {"auth", "454 later", "login", false},
                                                     {"auth", "535 wrong", "login", false},
                                                     {"mail", "451 later", "sender", false},
                                                     {"mail", "550 not you", "sender", false},
                                                     {"mail", "552 5.3.4 too big", "sender", true},
                                                     {"rcpt", "450 later", "recipient", false},
                                                     {"rcpt", "550 nobody", "recipient", true},
                                                     {"data", "452 no room", "message", false},
                                                     {"data", "554 no", "message", true},
                                                     {"message", "451 later", "message", false},
                                                     {"message", "550 spam", "message", true}}) {
        SmtpSink sink;
        sink.fail(row.phase, row.answer);
        const MailResult result = MailClient(sink).send();
        BOOST_TEST(!result.ok);
        BOOST_TEST(result.permanent == row.permanent, row.answer + " -> " + result.message);
        BOOST_TEST(has(result.message, row.told + ": "), result.message);
        BOOST_TEST(has(result.message, row.answer), result.message);
        BOOST_TEST(sink.mails().empty());
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_of_us_is_put_off_slowly_and_only_one_of_the_recipient_is_for_good) {
    enum class Is { us, recipient, later };
    struct Row {
        std::string phase, answer;
        Is is;
    };
    const Row rows[] = {
        {"rcpt", "504 5.5.2 <web1>: Helo command rejected: need fully-qualified hostname", Is::us},
        {"rcpt", "504 need a full name", Is::us},
        {"rcpt", "503 5.5.1 bad sequence", Is::us},
        {"rcpt", "521 no mail here", Is::us},
        {"rcpt", "530 5.7.0 log in first", Is::us},
        {"rcpt", "535 log in first", Is::us},
        {"rcpt", "554 5.7.1 relay access denied", Is::us},
        {"rcpt", "554 no", Is::us},
        {"rcpt", "550 5.7.1 not on behalf of this sender", Is::us},
        {"rcpt", "553 5.7.1 sender not owned by user", Is::us},
        {"rcpt", "550 5.1.8 sender's domain not found", Is::us},
        {"rcpt", "550 5.5.0 no", Is::us},
        {"rcpt", "550 #5.7.1 your access is rejected", Is::us},
        {"rcpt", "553 not in my list of allowed rcpthosts (#5.7.1)", Is::us},
        {"rcpt", "552 mailbox full", Is::later},
        {"rcpt", "552 #5.2.2 mailbox full", Is::recipient},
        {"rcpt", "554 no mailbox here by that name (#5.1.1)", Is::recipient},
        {"rcpt", "550 5.1.1 no such user", Is::recipient},
        {"rcpt", "554 5.1.1 no such user", Is::recipient},
        {"rcpt", "552 5.2.2 mailbox full", Is::recipient},
        {"rcpt", "550 5.4.1 access denied", Is::recipient},
        {"rcpt", "550 nobody", Is::recipient},
        {"rcpt", "551 moved", Is::recipient},
        {"rcpt", "553 what a name", Is::recipient},
        {"rcpt", "450 4.2.0 greylisted", Is::later},
        {"mail", "530 5.7.0 log in first", Is::us},
        {"mail", "553 5.7.1 sender not owned by user", Is::us},
        {"mail", "550 5.1.8 domain not found", Is::us},
        {"ehlo", "504 5.5.2 need a full name", Is::us},
        {"mail", "451 4.3.0 later", Is::later}};
    for (const Row& row : rows) {
        SmtpSink sink;
        sink.fail(row.phase, row.answer);
        const MailResult result = MailClient(sink).send();
        BOOST_TEST_CONTEXT(row.phase << " " << row.answer << " -> " << result.message) {
            BOOST_TEST(!result.ok);
            BOOST_TEST(result.permanent == (row.is == Is::recipient));
            BOOST_TEST(result.rest == (row.is == Is::us));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_recipient_that_we_may_not_reach_is_put_off_and_the_other_gets_the_mail) {
    SmtpSink sink;
    sink.fail("rcpt:a@test.local", "554 5.7.1 relay access denied");
    const MailClient client(sink);
    const auto tls = mail_tls(client.mail);
    Letter message;
    message.text = client.message().text;
    message.sender = client.message().sender;
    message.recipients = client.message().recipients;
    const auto delivery = deliver_mail(client.mail, message, *tls);
    std::optional<DeliveryResult> result;
    while (!(result = delivery->step())) {
        Watch watch;
        delivery->watch(watch);
        watch.wait();
    }
    BOOST_TEST((result->outcome == Outcome::sent));
    BOOST_TEST(result->refusal == "recipient 554 5.7.1");
    BOOST_REQUIRE_EQUAL(result->exceptions.size(), 1u);
    BOOST_TEST((result->exceptions[0].outcome == Outcome::deferred));
    BOOST_TEST(result->exceptions[0].retry_slowly);
}

BOOST_AUTO_TEST_CASE(one_bad_recipient_does_not_cost_the_other_the_mail) {
    SmtpSink sink;
    sink.fail("rcpt:a@test.local", "550 5.1.1 no such user");
    const MailResult result = MailClient(sink).send();
    BOOST_TEST(result.ok, result.message);
    BOOST_TEST(has(result.message, "1 of 2 recipients"), result.message);
    BOOST_TEST(has(result.message, "a@test.local: 550 5.1.1 no such user"), result.message);
    BOOST_REQUIRE_EQUAL(sink.mails().size(), 1u);
    BOOST_TEST(has(sink.envelopes()[0], R"("rcpt_tos": ["b@test.local"])"));
}

BOOST_AUTO_TEST_CASE(a_connection_lost_after_the_text_is_no_success) {
    SmtpSink sink;
    sink.fail("message", "close");
    const MailResult result = MailClient(sink).send();
    BOOST_TEST(!result.ok);
    BOOST_TEST(!result.permanent);
    sink.mend();
    BOOST_TEST(MailClient(sink).send().ok);
}

BOOST_AUTO_TEST_CASE(the_next_host_of_the_list_gets_what_the_first_does_not_take) {
    const SmtpSink sink;
    MailClient client(sink);
    client.mail.hosts = {"nowhere.invalid", "127.0.0.1", "localhost"};
    const MailResult result = client.send();
    BOOST_TEST(result.ok, result.message);
    BOOST_TEST(has(result.message, "127.0.0.1:"), result.message);
    client.mail.hosts = {"nowhere.invalid", "nothing.invalid"};
    const MailResult failed = client.send();
    BOOST_TEST((has(failed.message, "nowhere.invalid") && has(failed.message, "nothing.invalid")),
               failed.message);
}

BOOST_AUTO_TEST_SUITE_END()
