// Mail to the server that most sites have.
#include "t/fixture/mail/postfix.h"
#include "t/fixture/basics.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/skip.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <sched.h>
#include <unistd.h>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_postfix)

namespace {

constexpr char kWhyRoot[] = "needs root, for Postfix";

// Postfix, a supervisord, and healthcheckd with a cat that fails.
struct Site {
    Authority authority;
    Postfix postfix;
    Supervisord supervisord;

    explicit Site(const std::string& main_cf = "")
        : postfix(authority.issue(), main_cf), supervisord({{.name = "网关", .command = "/bin/sleep 1000"}}) {
    }

    std::string cats() const {
        return "cat4: {program: 网关, type: tcp, host: 127.0.0.1, periodSeconds: 0.2, port: " +
               std::to_string(free_port()) + ", action: email}\n";
    }
    DaemonOptions options(const std::string& recipients) const {
        return {.config_lines = "mail: {host: localhost, port: " + std::to_string(postfix.port()) +
                                ", tls: starttls, caFile: " + authority.ca_file() +
                                ", from: healthcheckd@test.local, to_list: [" + recipients + "]}"};
    }
};

std::size_t count(const std::string& text, std::string_view part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
        ++found;
    return found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_mail_is_in_the_mailbox_of_every_recipient_encrypted_on_its_way) {
    need_root(kWhyRoot);
    const Site site;
    const Daemon daemon(site.supervisord.url(), site.cats(), site.options("ops@test.local, boss@test.local"));
    for (const char* name : {"ops", "boss"}) {
        BOOST_TEST_REQUIRE(
            wait_until(
                [&] { return has(site.postfix.mailbox(name), "\n\n") && has(site.postfix.log(), "removed"); },
                20s),
            site.postfix.log());
        const std::string mail = site.postfix.mailbox(name);
        BOOST_TEST_CONTEXT(mail) {
            BOOST_TEST(has(mail, std::string("Delivered-To: ") + name + "@test.local"));
            BOOST_TEST(has(mail, "using TLSv1"));
            BOOST_TEST(has(mail, "\nAuto-Submitted: auto-generated\n"));
            BOOST_TEST(has(mail, "\nContent-Type: text/plain; charset=utf-8\n"));
            BOOST_TEST(has(mail, "=?UTF-8?"));
            BOOST_TEST(has(mail, "=E7=BD=91=E5=85=B3"));
            BOOST_TEST(has(mail, "cat4"));
            BOOST_TEST(count(mail, "\nMessage-ID: ") == 1U);
        }
    }
    BOOST_TEST(daemon.wait_for_log("[mail] sent: "));
}

BOOST_AUTO_TEST_CASE(an_unknown_recipient_costs_the_other_nothing_and_is_kept_with_postfixs_words) {
    need_root(kWhyRoot);
    const Site site;
    const Daemon daemon(site.supervisord.url(), site.cats(),
                        site.options("nobody@test.local, ops@test.local"));
    BOOST_TEST_REQUIRE(daemon.wait_for_log("to nobody@test.local: "), site.postfix.log());
    BOOST_TEST(wait_until([&] { return has(site.postfix.mailbox("ops"), "cat4"); }), site.postfix.log());
    std::string dead;
    for (const auto& entry : std::filesystem::directory_iterator(daemon.state_dir() + "/dead"))
        dead += read_file(entry.path());
    BOOST_TEST(has(dead, "X-Healthcheckd-Recipient: nobody@test.local"), dead);
    BOOST_TEST(has(dead, "550 5.1.1"), dead);
    BOOST_TEST(has(dead, "User unknown"), dead);
}

BOOST_AUTO_TEST_CASE(a_host_with_a_short_name_is_let_in_where_full_names_are_demanded) {
    need_root(kWhyRoot);
    if (::unshare(CLONE_NEWUTS) != 0 || ::sethostname("web1", 4) != 0)
        skip("needs a host name of its own");
    const Site site(
        "smtpd_helo_required = yes\n"
        "smtpd_helo_restrictions = reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname\n");
    const Daemon daemon(site.supervisord.url(), site.cats(), site.options("ops@test.local"));
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[mail] sent: "), site.postfix.log());
    BOOST_TEST(wait_until([&] { return has(site.postfix.mailbox("ops"), "from [127.0.0.1] ("); }),
               site.postfix.mailbox("ops"));
}

BOOST_AUTO_TEST_CASE(a_postfix_that_does_not_relay_for_us_is_tried_slowly_and_told_once) {
    need_root(kWhyRoot);
    const Site site("smtpd_relay_restrictions = reject_unauth_destination\n");
    Daemon daemon(site.supervisord.url(), site.cats(), site.options("ops@test.local, far@example.org"));
    BOOST_TEST_REQUIRE(daemon.wait_for_log("Relay access denied"), site.postfix.log());
    BOOST_TEST(wait_until([&] { return has(site.postfix.mailbox("ops"), "cat4"); }), site.postfix.log());
    BOOST_TEST(wait_until([&] {
        const auto state = daemon.state();
        return state["mail"]["refusal"].is_string() &&
               has(state["mail"]["refusal"].get<std::string>(), "far@example.org: 554 5.7.1");
    }));
    BOOST_TEST(daemon.state()["mail"]["failed"] == 0);
    BOOST_TEST(count(daemon.log(), "Relay access denied") == 1U);
}

BOOST_AUTO_TEST_CASE(a_postfix_that_was_down_gets_the_mail_once_when_it_is_back) {
    need_root(kWhyRoot);
    Site site;
    site.postfix.stop();
    const Daemon daemon(site.supervisord.url(), site.cats(), site.options("ops@test.local"));
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[mail] not sent yet: "));
    site.postfix.start();
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[mail] sent: "), site.postfix.log());
    BOOST_TEST(wait_until([&] { return has(site.postfix.mailbox("ops"), "cat4"); }), site.postfix.log());
    BOOST_TEST(count(site.postfix.mailbox("ops"), "\nDelivered-To: ") == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
