// Mail as it is delivered to a real server.
#include "master/mailer/delivery/delivery.h"
#include "master/mailer/delivery/mail_greeting.h"
#include "master/mailer/text/mail.h"
#include "t/fixture/basics.h"
#include "t/fixture/mail/smtp_sink.h"
#include "t/fixture/skip.h"

#include <algorithm>
#include <arpa/inet.h>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::test;
using namespace healthcheckd::master;

BOOST_AUTO_TEST_SUITE(e2e_smtp)

namespace {

using Clock = std::chrono::steady_clock;
using Tls = SmtpSink::Tls;

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

// A delivery's result in short.
struct MailResult {
    bool ok = false;
    bool permanent = false;  // refused for good
    bool rest = false;       // not soon again
    std::string message;     // with what became of single recipients
};

MailResult deliver(const MailConfig& mail, const Letter& message, std::chrono::milliseconds limit,
                   const TlsClient& tls) {
    const auto delivery = deliver_mail(mail, message, tls, limit);
    std::optional<DeliveryResult> result;
    const auto deadline = Clock::now() + limit * static_cast<int>(mail.hosts.size()) + 5s;
    while (!(result = delivery->step()) && Clock::now() < deadline) {
        Watch watch;
        delivery->watch(watch);
        timeval time{0, std::min<long>(watch.timeout.count(), 50) * 1000};
        ::select(watch.highest + 1, &watch.read, &watch.write, &watch.except, &time);
    }
    BOOST_TEST_REQUIRE(result.has_value());
    for (const RecipientOutcome& each : result->exceptions)
        result->message += "; " + each.address + ": " + each.answer;
    return {result->outcome == Outcome::sent, result->outcome == Outcome::rejected, result->retry_slowly,
            result->message};
}

// A configuration that fits `sink`, with its password.
struct Client {
    SecretStore secrets;
    MailConfig mail;

    explicit Client(const SmtpSink& sink, MailTls tls = MailTls::implicit) {
        mail.hosts = {"localhost"};
        mail.port = sink.port();
        mail.user = sink.options().user;
        if (!sink.options().password.empty())
            mail.pass = secrets.put(SecretStore::kMail, sink.options().password);
        mail.from = "ops@test.local";
        mail.to_list = {"a@test.local", "b@test.local"};
        mail.tls = tls;
        mail.ca_file = sink.ca_file();
    }
    MailMessage message() const {
        return {.sender = mail.from,
                .recipients = mail.to_list,
                .subject = "hello",
                .text = "Subject: hello\r\nFrom: ops@test.local\r\n\r\nfirst\r\n.\r\n..dots\r\nlast\r\n",
                .message_id = "<x@y>"};
    }
    MailResult send(std::chrono::milliseconds limit = 10s) const { return send(message(), limit); }
    MailResult send(const MailMessage& message, std::chrono::milliseconds limit = 10s) const {
        const auto tls = mail_tls(mail);
        BOOST_TEST_REQUIRE(static_cast<bool>(tls));
        Letter spooled;
        spooled.text = message.text;
        spooled.sender = message.sender;
        spooled.recipients = message.recipients;
        MailResult result = deliver(mail, spooled, limit, *tls);
        BOOST_TEST(!has(result.message, "s3cret"), result.message);
        return result;
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(implicit_tls_with_login_delivers_the_text_unchanged) {
    const SmtpSink sink;
    const Client client(sink);
    const MailResult result = client.send();
    BOOST_TEST(result.ok, result.message);
    BOOST_REQUIRE(sink.wait_for_mails(1));
    BOOST_TEST(sink.mails()[0] == client.message().text);
    const std::string envelope = sink.envelopes()[0];
    BOOST_TEST(has(envelope, R"("mail_from": "ops@test.local")"), envelope);
    BOOST_TEST(has(envelope, R"("rcpt_tos": ["a@test.local", "b@test.local"])"), envelope);
    BOOST_TEST(has(envelope, R"("login": "ops@test.local")"), envelope);
    BOOST_TEST(has(envelope, R"("tls": true)"), envelope);
}

BOOST_AUTO_TEST_CASE(starttls_with_login_delivers_encrypted) {
    const SmtpSink sink({.tls = Tls::starttls});
    const Client client(sink, MailTls::starttls);
    const MailResult result = client.send();
    BOOST_TEST(result.ok, result.message);
    BOOST_TEST(has(sink.commands(), "auth tls"));
    BOOST_TEST(!has(sink.commands(), "mail clear"));
    BOOST_TEST(sink.mails().size() == 1u);
}

BOOST_AUTO_TEST_CASE(no_encryption_is_possible_when_asked_for) {
    const SmtpSink sink({.tls = Tls::none});
    const MailResult result = Client(sink, MailTls::none).send();
    BOOST_TEST(result.ok, result.message);
    BOOST_TEST(sink.mails().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_self_signed_certificate_is_refused_unless_trusted_or_unverified) {
    const SmtpSink sink;
    Client client(sink);
    client.mail.ca_file = "";
    const MailResult refused = client.send();
    BOOST_TEST(!refused.ok);
    BOOST_TEST(!refused.permanent);
    BOOST_TEST(has(refused.message, "certificate"), refused.message);
    BOOST_TEST(has(refused.message, "TLS handshake"), refused.message);
    BOOST_TEST(has(refused.message, "the server's certificate is self-signed"), refused.message);
    BOOST_TEST(sink.commands() == "");
    client.mail.verify = false;
    BOOST_TEST(client.send().ok);
}

BOOST_AUTO_TEST_CASE(without_a_file_of_its_own_the_authorities_are_those_of_the_system) {
    const SmtpSink sink;
    Client client(sink);
    client.mail.ca_file = "";
    ::setenv("SSL_CERT_FILE", sink.ca_file().c_str(), 1);
    BOOST_TEST(client.send().ok);
    ::setenv("SSL_CERT_FILE", "/nonexistent/ca.pem", 1);
    BOOST_TEST(!mail_tls(client.mail));
    client.mail.tls = MailTls::none;
    BOOST_TEST(static_cast<bool>(mail_tls(client.mail)));
    ::unsetenv("SSL_CERT_FILE");
}

BOOST_AUTO_TEST_CASE(on_a_system_without_authorities_a_relay_that_offers_no_tls_still_gets_its_mail) {
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", "/etc/ssl/certs", "tmpfs", 0, "size=64k") != 0)
        skip("needs root and a mount namespace of its own");
    ::unsetenv("SSL_CERT_FILE");
    const SmtpSink plain({.tls = Tls::none, .user = "", .password = ""});
    Client client(plain, MailTls::opportunistic);
    client.mail.ca_file = "";
    BOOST_TEST(client.send().ok);
    client.mail.tls = MailTls::starttls;
    BOOST_TEST(!mail_tls(client.mail));
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_host_is_refused) {
    const SmtpSink sink({.cert_names = "DNS:other.test"});
    const MailResult result = Client(sink).send();
    BOOST_TEST(!result.ok);
    BOOST_TEST(sink.commands() == "");
}

BOOST_AUTO_TEST_CASE(stripped_starttls_is_refused_before_login_and_mail) {
    const SmtpSink sink({.tls = Tls::none});
    for (const MailTls tls : {MailTls::starttls, MailTls::opportunistic}) {
        const MailResult result = Client(sink, tls).send();
        BOOST_TEST(!result.ok);
        BOOST_TEST(!result.permanent);
        BOOST_TEST(has(result.message, "STARTTLS"), result.message);
    }
    BOOST_TEST(!has(sink.commands(), "auth"));
    BOOST_TEST(!has(sink.commands(), "mail"));
}

BOOST_AUTO_TEST_CASE(opportunistic_encrypts_if_offered_and_goes_on_without_a_password_if_not) {
    const SmtpSink offering({.tls = Tls::offered, .user = "", .password = ""});
    BOOST_TEST(Client(offering, MailTls::opportunistic).send().ok);
    BOOST_TEST(has(offering.commands(), "mail tls"));
    const SmtpSink plain({.tls = Tls::none, .user = "", .password = ""});
    BOOST_TEST(Client(plain, MailTls::opportunistic).send().ok);
    BOOST_TEST(has(plain.commands(), "mail clear"));
}

BOOST_AUTO_TEST_CASE(without_a_password_there_is_no_login) {
    const SmtpSink sink({.user = "", .password = ""});
    Client client(sink);
    client.mail.user = "ops@test.local";
    BOOST_TEST(client.send().ok);
    BOOST_TEST(!has(sink.commands(), "auth"));
}

BOOST_AUTO_TEST_CASE(a_wrong_password_is_told_clearly_not_shown_and_not_tried_soon_again) {
    const SmtpSink sink;
    Client client(sink);
    client.mail.pass = client.secrets.put(SecretStore::kMail, "s3cret-but-wrong");
    const MailResult result = client.send();
    BOOST_TEST(!result.ok);
    BOOST_TEST(!result.permanent);
    BOOST_TEST(result.rest);
    BOOST_TEST(has(result.message, "login: "), result.message);
    BOOST_TEST(has(result.message, "535 5.7.8"), result.message);
    BOOST_TEST(sink.mails().empty());
}

BOOST_AUTO_TEST_CASE(a_server_that_sends_the_password_back_does_not_get_it_into_the_log) {
    SmtpSink sink;
    // "\0ops@test.local\0s3cret-Mail-Pa55", as AUTH PLAIN encodes it.
    const std::string encoded = "AG9wc0B0ZXN0LmxvY2FsAHMzY3JldC1NYWlsLVBhNTU=";
    sink.fail("auth", "535 no s3cret-Mail-Pa55 " + encoded);
    const MailResult result = Client(sink).send();
    BOOST_TEST(has(result.message, "535 no ********"), result.message);
    BOOST_TEST(!has(result.message, encoded), result.message);
}

BOOST_AUTO_TEST_CASE(a_mail_to_nobody_is_no_success) {
    const SmtpSink sink;
    MailMessage message = Client(sink).message();
    message.recipients.clear();
    const MailResult result = Client(sink).send(message);
    BOOST_TEST(!result.ok);
    BOOST_TEST(result.permanent);
}

BOOST_AUTO_TEST_CASE(a_server_that_is_down_is_told) {
    SmtpSink sink;
    sink.stop();
    const MailResult result = Client(sink).send();
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
        const MailResult result = Client(sink).send(700ms);
        const auto took = Clock::now() - start;
        BOOST_TEST(!result.ok);
        BOOST_TEST(!result.permanent);
        BOOST_TEST(has(result.message, told + ": no answer within "), phase + ": " + result.message);
        BOOST_TEST((took >= 600ms && took < 3s), phase);
    }
    for (const auto& [phase, told] : std::initializer_list<std::pair<std::string, std::string>>{
             {"connect", "greeting"}, {"starttls", "STARTTLS"}, {"tls", "STARTTLS"}}) {
        SmtpSink sink({.tls = Tls::starttls});
        sink.fail(phase, "hang");
        const MailResult result = Client(sink, MailTls::starttls).send(700ms);
        BOOST_TEST(has(result.message, told + ": no answer within "), phase + ": " + result.message);
    }
}

BOOST_AUTO_TEST_CASE(a_hang_after_the_mail_was_taken_neither_delays_nor_fails) {
    SmtpSink sink;
    sink.fail("quit", "hang");
    const auto start = Clock::now();
    BOOST_TEST(Client(sink).send(10s).ok);
    BOOST_TEST((Clock::now() - start < 5s));
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
        const MailResult result = Client(sink).send();
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
        const MailResult result = Client(sink).send();
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
    const Client client(sink);
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

BOOST_AUTO_TEST_CASE(the_server_is_greeted_by_a_full_name_or_the_address_of_the_connection) {
    if (::geteuid() != 0 || ::unshare(CLONE_NEWUTS | CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        skip("needs root and a host name of its own");
    const TempDir dir;
    const auto name_host = [&](const std::string& name, const std::string& hosts) {
        BOOST_TEST_REQUIRE(::sethostname(name.data(), name.size()) == 0);
        const std::string file = dir.write("hosts", "127.0.0.1 localhost\n::1 localhost\n" + hosts, 0644);
        ::umount("/etc/hosts");
        BOOST_TEST_REQUIRE(::mount(file.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr) == 0);
    };
    const SmtpSink sink;
    Client client(sink);
    const auto greeting = [&] {
        const std::size_t before = sink.envelopes().size();
        const MailResult result = client.send();
        BOOST_TEST(result.ok, result.message);
        BOOST_TEST_REQUIRE(sink.wait_for_mails(before + 1));
        const std::string envelope = sink.envelopes()[before];
        const std::size_t at = envelope.find(R"("helo": ")") + 9;
        return envelope.substr(at, envelope.find('"', at) - at);
    };
    name_host("web1.example.org", "");
    BOOST_TEST(greeting() == "web1.example.org");
    name_host("web1", "127.0.1.1 web1.example.net web1\n");
    BOOST_TEST(greeting() == "web1.example.net");
    name_host("web1", "127.0.1.1 web1\n");
    BOOST_TEST(greeting() == "[127.0.0.1]");
    name_host("web1", "127.0.0.1 localhost.localdomain web1\n");
    BOOST_TEST(greeting() == "[127.0.0.1]");
    // The first address of the name does not answer: the other one is that of the connection.
    client.mail.hosts = {"127.0.0.1"};
    BOOST_TEST(greeting() == "[127.0.0.1]");
    client.mail.helo = "monitor.example.org";
    BOOST_TEST(greeting() == "monitor.example.org");
    client.mail.helo = "[IPv6:2001:db8::1]";
    BOOST_TEST(greeting() == "[IPv6:2001:db8::1]");
    // What cannot be reached is told as ever, and soon.
    client.mail.helo.clear();
    client.mail.port = free_port();
    const MailResult down = client.send(2s);
    BOOST_TEST(!down.ok);
    BOOST_TEST(has(down.message, ": connection: "), down.message);
}

BOOST_AUTO_TEST_CASE(addresses_are_written_as_rfc_5321_has_them) {
    sockaddr_storage address{};
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    v4.sin_family = AF_INET;
    ::inet_pton(AF_INET, "192.0.2.1", &v4.sin_addr);
    BOOST_TEST(address_literal(address) == "[192.0.2.1]");
    address = {};
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    v6.sin6_family = AF_INET6;
    ::inet_pton(AF_INET6, "::1", &v6.sin6_addr);
    BOOST_TEST(address_literal(address) == "[IPv6:::1]");
    address = {};
    address.ss_family = AF_UNIX;
    BOOST_TEST(address_literal(address) == "");
}

BOOST_AUTO_TEST_CASE(one_bad_recipient_does_not_cost_the_other_the_mail) {
    SmtpSink sink;
    sink.fail("rcpt:a@test.local", "550 5.1.1 no such user");
    const MailResult result = Client(sink).send();
    BOOST_TEST(result.ok, result.message);
    BOOST_TEST(has(result.message, "1 of 2 recipients"), result.message);
    BOOST_TEST(has(result.message, "a@test.local: 550 5.1.1 no such user"), result.message);
    BOOST_REQUIRE_EQUAL(sink.mails().size(), 1u);
    BOOST_TEST(has(sink.envelopes()[0], R"("rcpt_tos": ["b@test.local"])"));
}

BOOST_AUTO_TEST_CASE(a_connection_lost_after_the_text_is_no_success) {
    SmtpSink sink;
    sink.fail("message", "close");
    const MailResult result = Client(sink).send();
    BOOST_TEST(!result.ok);
    BOOST_TEST(!result.permanent);
    sink.mend();
    BOOST_TEST(Client(sink).send().ok);
}

BOOST_AUTO_TEST_CASE(a_composed_mail_arrives_as_it_was_composed) {
    const SmtpSink sink;
    const Client client(sink);
    Telling telling;
    telling.notice.program = "gateway";
    telling.notice.cat = "cat1";
    telling.notice.at = std::chrono::system_clock::now();
    const MailMessage message = compose_mail(client.mail, {telling}, 0);
    BOOST_TEST(client.send(message).ok);
    BOOST_REQUIRE(sink.wait_for_mails(1));
    BOOST_TEST(sink.mails()[0] == message.text);
}

BOOST_AUTO_TEST_CASE(the_next_host_of_the_list_gets_what_the_first_does_not_take) {
    const SmtpSink sink;
    Client client(sink);
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
