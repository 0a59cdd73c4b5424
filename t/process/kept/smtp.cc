// Mail as it is delivered to a real server.
#include "master/mailer/delivery/delivery.h"
#include "master/mailer/delivery/mail_greeting.h"
#include "master/mailer/text/mail.h"
#include "t/fixture/basics.h"
#include "t/fixture/mail/mail_client.h"
#include "t/fixture/mail/smtp_sink.h"
#include "t/fixture/skip.h"

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

using Tls = SmtpSink::Tls;

}  // namespace

BOOST_AUTO_TEST_CASE(implicit_tls_with_login_delivers_the_text_unchanged) {
    const SmtpSink sink;
    const MailClient client(sink);
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
    const MailClient client(sink, MailTls::starttls);
    const MailResult result = client.send();
    BOOST_TEST(result.ok, result.message);
    BOOST_TEST(has(sink.commands(), "auth tls"));
    BOOST_TEST(!has(sink.commands(), "mail clear"));
    BOOST_TEST(sink.mails().size() == 1u);
}

BOOST_AUTO_TEST_CASE(no_encryption_is_possible_when_asked_for) {
    const SmtpSink sink({.tls = Tls::none});
    const MailResult result = MailClient(sink, MailTls::none).send();
    BOOST_TEST(result.ok, result.message);
    BOOST_TEST(sink.mails().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_self_signed_certificate_is_refused_unless_trusted_or_unverified) {
    const SmtpSink sink;
    MailClient client(sink);
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
    MailClient client(sink);
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
    MailClient client(plain, MailTls::opportunistic);
    client.mail.ca_file = "";
    BOOST_TEST(client.send().ok);
    client.mail.tls = MailTls::starttls;
    BOOST_TEST(!mail_tls(client.mail));
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_host_is_refused) {
    const SmtpSink sink({.cert_names = "DNS:other.test"});
    const MailResult result = MailClient(sink).send();
    BOOST_TEST(!result.ok);
    BOOST_TEST(sink.commands() == "");
}

BOOST_AUTO_TEST_CASE(stripped_starttls_is_refused_before_login_and_mail) {
    const SmtpSink sink({.tls = Tls::none});
    for (const MailTls tls : {MailTls::starttls, MailTls::opportunistic}) {
        const MailResult result = MailClient(sink, tls).send();
        BOOST_TEST(!result.ok);
        BOOST_TEST(!result.permanent);
        BOOST_TEST(has(result.message, "STARTTLS"), result.message);
    }
    BOOST_TEST(!has(sink.commands(), "auth"));
    BOOST_TEST(!has(sink.commands(), "mail"));
}

BOOST_AUTO_TEST_CASE(opportunistic_encrypts_if_offered_and_goes_on_without_a_password_if_not) {
    const SmtpSink offering({.tls = Tls::offered, .user = "", .password = ""});
    BOOST_TEST(MailClient(offering, MailTls::opportunistic).send().ok);
    BOOST_TEST(has(offering.commands(), "mail tls"));
    const SmtpSink plain({.tls = Tls::none, .user = "", .password = ""});
    BOOST_TEST(MailClient(plain, MailTls::opportunistic).send().ok);
    BOOST_TEST(has(plain.commands(), "mail clear"));
}

BOOST_AUTO_TEST_CASE(without_a_password_there_is_no_login) {
    const SmtpSink sink({.user = "", .password = ""});
    MailClient client(sink);
    client.mail.user = "ops@test.local";
    BOOST_TEST(client.send().ok);
    BOOST_TEST(!has(sink.commands(), "auth"));
}

BOOST_AUTO_TEST_CASE(a_wrong_password_is_told_clearly_not_shown_and_not_tried_soon_again) {
    const SmtpSink sink;
    MailClient client(sink);
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
    const MailResult result = MailClient(sink).send();
    BOOST_TEST(has(result.message, "535 no ********"), result.message);
    BOOST_TEST(!has(result.message, encoded), result.message);
}

BOOST_AUTO_TEST_CASE(the_server_is_greeted_by_a_full_name_or_the_address_of_the_connection) {
    if (::geteuid() != 0 || ::unshare(CLONE_NEWUTS | CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        skip("needs a host name of its own");
    const TempDir dir;
    const auto name_host = [&](const std::string& name, const std::string& hosts) {
        BOOST_TEST_REQUIRE(::sethostname(name.data(), name.size()) == 0);
        const std::string file = dir.write("hosts", "127.0.0.1 localhost\n::1 localhost\n" + hosts, 0644);
        ::umount("/etc/hosts");
        BOOST_TEST_REQUIRE(::mount(file.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr) == 0);
    };
    const SmtpSink sink;
    MailClient client(sink);
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

BOOST_AUTO_TEST_CASE(a_composed_mail_arrives_as_it_was_composed) {
    const SmtpSink sink;
    const MailClient client(sink);
    Telling telling;
    telling.notice.program = "gateway";
    telling.notice.cat = "cat1";
    telling.notice.at = std::chrono::system_clock::now();
    const MailMessage message = compose_mail(client.mail, {telling}, 0);
    BOOST_TEST(client.send(message).ok);
    BOOST_REQUIRE(sink.wait_for_mails(1));
    BOOST_TEST(sink.mails()[0] == message.text);
}

BOOST_AUTO_TEST_SUITE_END()
