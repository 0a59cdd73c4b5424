// Check type http with tls: which certificates the confined worker accepts.
#include "t/fixture/checks.h"
#include "t/fixture/net/certificates.h"
#include "t/fixture/net/port_server.h"
#include "t/fixture/net/web_server.h"
#include "t/fixture/process/worker_harness.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_probe_https)

namespace {

constexpr ProcessId kSome{12345, 1};

CatConfig https_cat(const WebServer& server, const std::string& ca_file = {}) {
    CatConfig cat;
    cat.set_type(kHttpCheck);
    cat.own<ServerAddress>().host = "localhost";
    cat.own<ServerAddress>().port = server.port();
    cat.own<HttpCheck>().path = "/ok";
    cat.own<HttpCheck>().tls = true;
    cat.own<HttpCheck>().ca_file = ca_file;
    return cat;
}

Report probe_once(const CatConfig& cat, const WorkerHarness::Secrets& secrets = {}) {
    WorkerHarness worker(cat, secrets);
    BOOST_TEST_REQUIRE(worker.first_line().starts_with("ready missing="));
    return worker.probe(kSome);
}

// net/tls_ends.py.
class OddServer {
public:
    explicit OddServer(const std::string& mode)
        : certificate_(authority_.issue()),
          server_("net/tls_ends.py",
                  {dir_.file("ends"), certificate_.cert_file, certificate_.key_file, mode}) {}
    CatConfig cat() const {
        CatConfig cat;
        cat.set_type(kHttpCheck);
        cat.own<ServerAddress>().host = "127.0.0.1";
        cat.own<ServerAddress>().port = server_.port();
        cat.own<HttpCheck>().tls = true;
        cat.own<HttpCheck>().ca_file = authority_.ca_file();
        return cat;
    }

private:
    Authority authority_;
    Certificate certificate_;
    TempDir dir_;
    PortServer server_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_server_of_a_trusted_authority_is_alive_by_name_and_by_address) {
    Authority authority;
    const WebServer server(authority.issue());
    CatConfig cat = https_cat(server, authority.ca_file());
    for (const char* host : {"localhost", "127.0.0.1"}) {
        cat.own<ServerAddress>().host = host;
        const Report report = probe_once(cat);
        BOOST_TEST(report.verdict == Verdict::success, report.message);
    }
    cat.own<HttpCheck>().path = "/status/503";
    BOOST_TEST(probe_once(cat).message == "HTTP 503, expected 200-399");
}

BOOST_AUTO_TEST_CASE(the_whole_request_goes_through_tls) {
    Authority authority;
    const WebServer server(authority.issue());
    CatConfig cat = https_cat(server, authority.ca_file());
    cat.own<HttpCheck>().method = "POST";
    cat.own<HttpCheck>().path = "/echo";
    WorkerHarness::Secrets secrets;
    secrets.json = R"({"a":1})";
    secrets.username = "test";
    secrets.password = "pass";
    BOOST_TEST(probe_once(cat, secrets).verdict == Verdict::success);
    const auto requests = server.requests();
    BOOST_TEST_REQUIRE(requests.size() == 1u);
    const auto request = nlohmann::json::parse(requests[0]);
    BOOST_TEST(request["body"] == secrets.json);
    BOOST_TEST(request["headers"]["authorization"] == "Basic dGVzdDpwYXNz");
    BOOST_TEST(request["headers"]["host"] == "localhost:" + std::to_string(server.port()));
}

// The kernel resets a connection whose data nobody has read.
BOOST_AUTO_TEST_CASE(a_server_that_answers_by_tls_without_reading_the_request_has_answered) {
    const OddServer server("unread");
    for (const bool large : {false, true}) {
        CatConfig cat = server.cat();
        WorkerHarness::Secrets secrets;
        if (large) {
            cat.own<HttpCheck>().method = "POST";
            secrets.json = "[" + std::string(32'000, ' ') + "]";
        }
        WorkerHarness worker(cat, secrets);
        for (int i = 0; i < 50; ++i) {
            const Report report = worker.probe(kSome);
            BOOST_TEST(report.verdict == Verdict::success, large << ": " << report.message);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_empty_line_may_be_missing_and_the_end_of_tls_too) {
    const OddServer server("short");
    const Report report = probe_once(server.cat());
    BOOST_TEST(report.verdict == Verdict::success, report.message);
}

BOOST_AUTO_TEST_CASE(authorities_that_only_root_can_read_are_read_before_confinement) {
    Authority authority;
    const WebServer server(authority.issue());
    std::filesystem::permissions(authority.ca_file(), std::filesystem::perms::owner_read);
    BOOST_TEST(probe_once(https_cat(server, authority.ca_file())).verdict == Verdict::success);
}

BOOST_AUTO_TEST_CASE(the_certificate_of_a_server_that_signed_its_own_can_be_trusted) {
    Authority authority;
    const Certificate own = authority.issue({.self_signed = true});
    const WebServer server(own);
    BOOST_TEST(probe_once(https_cat(server, own.cert_file)).verdict == Verdict::success);
}

BOOST_AUTO_TEST_CASE(the_system_is_trusted_and_the_environment_says_where_its_authorities_are) {
    Authority authority;
    const WebServer server(authority.issue());
    const Report stranger = probe_once(https_cat(server));
    BOOST_TEST(stranger.verdict == Verdict::failure);
    BOOST_TEST(stranger.message ==
               "TLS: the server's certificate is of an authority that is not trusted here");
    ::setenv("SSL_CERT_FILE", authority.ca_file().c_str(), 1);
    const Report known = probe_once(https_cat(server));
    ::unsetenv("SSL_CERT_FILE");
    BOOST_TEST(known.verdict == Verdict::success, known.message);
}

BOOST_AUTO_TEST_CASE(without_verify_any_certificate_will_do) {
    Authority authority;
    for (const CertificateWish& wish :
         {CertificateWish{.names = "DNS:other.example"}, CertificateWish{.first_day = -3, .last_day = -1},
          CertificateWish{.self_signed = true}}) {
        const WebServer server(authority.issue(wish));
        CatConfig cat = https_cat(server);
        BOOST_TEST(probe_once(cat).verdict == Verdict::failure);
        cat.own<HttpCheck>().verify = false;
        const Report report = probe_once(cat);
        BOOST_TEST(report.verdict == Verdict::success, report.message);
    }
}

BOOST_AUTO_TEST_CASE(a_certificate_that_becomes_bad_is_noticed_by_the_worker_that_saw_the_good_one) {
    Authority authority;
    auto server = std::make_unique<WebServer>(authority.issue());
    // The next server takes the port over.
    WorkerHarness worker(https_cat(*server, authority.ca_file()));
    BOOST_TEST(worker.probe(kSome).verdict == Verdict::success);
    const int port = server->port();
    server.reset();
    const WebServer expired(authority.issue({.first_day = -3, .last_day = -1}), {}, port);
    BOOST_TEST(worker.probe(kSome).message == "TLS: the server's certificate, or one above it, has expired");
}

BOOST_AUTO_TEST_CASE(authorities_that_were_replaced_end_the_worker_at_the_next_refusal) {
    Authority before;
    Authority after;
    const TempDir dir;
    const std::string ca_file = dir.write("ca.pem", read_file(before.ca_file()));
    const WebServer server(after.issue());
    WorkerHarness worker(https_cat(server, ca_file));
    BOOST_TEST(worker.probe(kSome).verdict == Verdict::failure);
    std::filesystem::rename(dir.write("new.pem", read_file(after.ca_file())), ca_file);
    BOOST_TEST(worker.probe(kSome).message == "broken msg=" + ca_file + " was replaced");
    BOOST_TEST(probe_once(https_cat(server, ca_file)).verdict == Verdict::success);
}

BOOST_AUTO_TEST_CASE(authorities_that_are_none_end_the_worker_with_the_reason) {
    const TempDir dir;
    struct Row {
        std::string file;
        std::string reason;
    };
    for (const Row& row : {Row{dir.file("none.pem"), "No such file or directory"},
                           Row{dir.write("empty.pem", ""), "holds no certificates in PEM form"},
                           Row{dir.write("text.pem", "hello\n"), "holds no certificates in PEM form"}}) {
        CatConfig cat;
        cat.own<HttpCheck>().tls = true;
        cat.own<HttpCheck>().ca_file = row.file;
        WorkerHarness worker(cat);
        BOOST_TEST(worker.first_line() == "broken msg=caFile: " + row.file + ": " + row.reason);
        BOOST_TEST(worker.child().end() == "exit 1");
        cat.own<HttpCheck>().verify = false;
        BOOST_TEST(WorkerHarness(cat).first_line().starts_with("ready missing="));
    }
}

BOOST_AUTO_TEST_SUITE_END()
