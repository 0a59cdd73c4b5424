// What claims to be supervisord and means harm, and supervisord behind TLS, against the whole daemon.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/net/certificates.h"
#include "t/fixture/supervisord/fake_supervisord.h"
#include "t/fixture/supervisord/supervisord.h"
#include "t/fixture/this_build.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_hostile_supervisord)

namespace {

long peak_kb(pid_t pid) {
    const std::string status = read_file("/proc/" + std::to_string(pid) + "/status");
    const std::size_t at = status.find("VmHWM:");
    return at == std::string::npos ? -1 : std::stol(status.substr(at + 6));
}

constexpr long kMaxPeakKb = 64L * 1024 * kLarger;

constexpr const char* kCat =
    "cat1: {program: web, type: restart, periodSeconds: 0.2, initialDelaySeconds: 0, "
    "action: exec, execCmd: 'true'}\n";

}  // namespace

BOOST_AUTO_TEST_CASE(answers_made_to_hurt_are_told_in_one_line_and_nobody_grows_or_ends) {
    struct Row {
        const char* mode;
        const char* line;
    };
    for (const Row& row :
         {Row{"huge", "sent more than 8 MB"}, Row{"laughs", "it holds XML that is no XML-RPC"},
          Row{"deep", "it is nested more than 32 levels deep"},
          Row{"cut", "supervisord's answer cannot be used"},
          Row{"html", "supervisord's answer cannot be used"}})
        BOOST_TEST_CONTEXT(row.mode) {
            const FakeSupervisord fake(row.mode);
            // Each answer is freed before the next one comes: the sanitizer would keep 256 MB of them.
            Daemon daemon(fake.url(), kCat, {.env = {{"ASAN_OPTIONS", "quarantine_size_mb=1"}}});
            BOOST_TEST_REQUIRE(daemon.wait_for_log(row.line), daemon.log());
            const pid_t link = daemon.child("supervisord link");
            const long link_peak = peak_kb(link);
            BOOST_TEST(link_peak > 0);
            BOOST_TEST(link_peak < kMaxPeakKb);
            BOOST_TEST(peak_kb(daemon.pid()) < kMaxPeakKb);
            BOOST_TEST_MESSAGE(row.mode << ": link " << link_peak << " kB, master " << peak_kb(daemon.pid())
                                        << " kB");
            // The same link and the same master go on when the answers are good again.
            fake.set_mode("good");
            BOOST_TEST(daemon.wait_for_state(
                "cat1", [](const nlohmann::json& cat) { return cat.at("pid").get<int>() > 0; }, 60s));
            BOOST_TEST(daemon.child("supervisord link") == link);
            BOOST_TEST(daemon.running());
        }
}

BOOST_AUTO_TEST_CASE(supervisord_behind_tls_is_reached_when_its_authority_is_trusted) {
    Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}}, {.http = true});
    BOOST_REQUIRE(supervisord.wait_state("web", "RUNNING"));
    Authority authority;
    const Certificate certificate = authority.issue();
    const std::string http = supervisord.http_url();
    const std::string port = http.substr(http.rfind(':') + 1, http.rfind('/') - http.rfind(':') - 1);
    const PortServer proxy("net/tls_proxy.py", {port, certificate.cert_file, certificate.key_file});
    const std::string url = "https://localhost:" + std::to_string(proxy.port()) + "/RPC2";
    Daemon trusting(url, kCat, {.env = {{"SSL_CERT_FILE", authority.ca_file()}}});
    BOOST_TEST(trusting.wait_for_state("cat1", [&](const nlohmann::json& cat) {
        return cat.at("pid").get<int>() == supervisord.pid("web");
    }));
    Daemon stranger(url, kCat);
    BOOST_TEST(
        stranger.wait_for_log("TLS: the server's certificate is of an authority that is not trusted here"));
}

BOOST_AUTO_TEST_SUITE_END()
