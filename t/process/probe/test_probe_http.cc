#include "t/fixture/checks.h"
#include "worker/check/http.h"

#include "t/fixture/basics.h"
#include "t/fixture/net/web_server.h"
#include "t/fixture/process/worker_harness.h"
#include "t/fixture/skip.h"

#include <boost/test/unit_test.hpp>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_probe_http)

namespace {

constexpr ProcessId kSome{12345, 1};

CatConfig http_cat(int port, const std::string& path = "/") {
    CatConfig cat;
    cat.set_type(kHttpCheck);
    cat.own<ServerAddress>().host = "127.0.0.1";
    cat.own<ServerAddress>().port = port;
    cat.own<HttpCheck>().path = path;
    cat.timeout = 5s;
    return cat;
}

Report probe_once(const CatConfig& cat, const WorkerHarness::Secrets& secrets = {}) {
    WorkerHarness worker(cat, secrets);
    BOOST_TEST_REQUIRE(worker.first_line().starts_with("ready missing="));
    return worker.probe(kSome);
}

nlohmann::json only_request(const WebServer& server) {
    const auto requests = server.requests();
    BOOST_TEST_REQUIRE(requests.size() == 1u);
    return nlohmann::json::parse(requests[0]);
}

bool has_ipv6() {
    const UniqueFd fd(::socket(AF_INET6, SOCK_STREAM, 0));
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    return fd && ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(statuses_from_200_to_399_are_alive_and_redirects_not_followed) {
    const WebServer server;
    struct Row {
        int status;
        Verdict verdict;
    };
    for (const Row& row : {Row{200, Verdict::success}, Row{204, Verdict::success}, Row{302, Verdict::success},
                           Row{399, Verdict::success}, Row{400, Verdict::failure}, Row{404, Verdict::failure},
                           Row{500, Verdict::failure}}) {
        const std::string status = std::to_string(row.status);
        const Report report = probe_once(http_cat(server.port(), "/status/" + status));
        BOOST_TEST_CONTEXT(report.message) {
            BOOST_TEST(report.verdict == row.verdict);
            BOOST_TEST(report.message.starts_with("HTTP " + status));
            BOOST_TEST(report.unit == "ms");
            BOOST_TEST(report.limit == 5000);
            BOOST_TEST(report.value > 0);
        }
    }
    BOOST_TEST(server.requests().size() == 7u);
}

BOOST_AUTO_TEST_CASE(expect_status_names_other_codes) {
    const WebServer server;
    CatConfig cat = http_cat(server.port(), "/status/503");
    cat.own<HttpCheck>().expect_status = {{200, 200}, {500, 503}};
    BOOST_TEST(probe_once(cat).verdict == Verdict::success);
    cat.own<HttpCheck>().path = "/status/204";
    const Report report = probe_once(cat);
    BOOST_TEST(report.verdict == Verdict::failure);
    BOOST_TEST(report.message == "HTTP 204, expected 200,500-503");
}

BOOST_AUTO_TEST_CASE(a_plain_get_says_who_asks_and_takes_no_compression) {
    const WebServer server;
    BOOST_TEST(probe_once(http_cat(server.port(), "/a?b=c&d")).verdict == Verdict::success);
    const auto request = only_request(server);
    BOOST_TEST(request["method"] == "GET");
    BOOST_TEST(request["path"] == "/a?b=c&d");
    BOOST_TEST(request["headers"]["user-agent"].get<std::string>().starts_with("healthcheckd/"));
    BOOST_TEST(request["headers"]["host"] == "127.0.0.1:" + std::to_string(server.port()));
    for (const char* absent : {"accept-encoding", "authorization", "cookie", "expect", "content-type"})
        BOOST_TEST(!request["headers"].contains(absent), absent);
}

BOOST_AUTO_TEST_CASE(head_has_no_body) {
    const WebServer server;
    CatConfig cat = http_cat(server.port(), "/ok");
    cat.own<HttpCheck>().method = "HEAD";
    BOOST_TEST(probe_once(cat).verdict == Verdict::success);
    BOOST_TEST(only_request(server)["method"] == "HEAD");
}

BOOST_AUTO_TEST_CASE(post_sends_json_headers_and_basic_authentication) {
    const WebServer server;
    CatConfig cat = http_cat(server.port(), "/echo");
    cat.own<HttpCheck>().method = "POST";
    WorkerHarness::Secrets secrets;
    secrets.json = R"({"a":"b","n":[1,2]})";
    secrets.headers = R"({"X-Token":"s3cret","c":1,"X-Empty":""})";
    secrets.username = "test";
    secrets.password = "pa:ss";
    BOOST_TEST(probe_once(cat, secrets).verdict == Verdict::success);
    const auto request = only_request(server);
    BOOST_TEST(request["method"] == "POST");
    BOOST_TEST(request["body"] == secrets.json);
    BOOST_TEST(request["headers"]["content-type"] == "application/json");
    BOOST_TEST(request["headers"]["x-token"] == "s3cret");
    BOOST_TEST(request["headers"]["c"] == "1");
    BOOST_TEST(request["headers"]["x-empty"] == "");
    BOOST_TEST(request["headers"]["authorization"] == "Basic dGVzdDpwYTpzcw==");
}

BOOST_AUTO_TEST_CASE(a_content_type_of_the_headers_wins_and_a_host_header_is_sent) {
    const WebServer server;
    CatConfig cat = http_cat(server.port(), "/echo");
    cat.own<HttpCheck>().method = "POST";
    WorkerHarness::Secrets secrets;
    secrets.json = "[]";
    secrets.headers = R"({"content-type":"application/vnd.api+json","Host":"shop.example"})";
    BOOST_TEST(probe_once(cat, secrets).verdict == Verdict::success);
    const auto request = only_request(server);
    BOOST_TEST(request["headers"]["content-type"] == "application/vnd.api+json");
    BOOST_TEST(request["headers"]["host"] == "shop.example");
}

BOOST_AUTO_TEST_CASE(a_post_without_json_has_an_empty_body) {
    const WebServer server;
    CatConfig cat = http_cat(server.port(), "/echo");
    cat.own<HttpCheck>().method = "POST";
    BOOST_TEST(probe_once(cat).verdict == Verdict::success);
    const auto request = only_request(server);
    BOOST_TEST(request["body"] == "");
    BOOST_TEST(request["headers"]["content-length"] == "0");
}

BOOST_AUTO_TEST_CASE(headers_that_cannot_be_sent_end_the_worker_with_the_reason) {
    for (const char* headers :
         {"[1]", "not json", R"({"a":{"b":1}})", R"({"a\r\nB":"c"})", R"({"a":"b\r\nC: d"})"}) {
        WorkerHarness::Secrets secrets;
        secrets.headers = headers;
        WorkerHarness worker(http_cat(80), secrets);
        BOOST_TEST(worker.first_line().starts_with("broken msg=headers: "), worker.first_line());
        BOOST_TEST(worker.child().end() == "exit 1");
    }
}

BOOST_AUTO_TEST_CASE(a_path_becomes_a_request_target) {
    BOOST_TEST(worker::request_target("/a/../b?x=1") == "/a/../b?x=1");
    BOOST_TEST(worker::request_target("") == "/");
    BOOST_TEST(worker::request_target("health") == "/health");
    BOOST_TEST(worker::request_target("/a b#c\r\n\xc3\xa4%20") == "/a%20b%23c%0D%0A%C3%A4%20");
}

BOOST_AUTO_TEST_CASE(a_server_that_hangs_and_mends_is_told_so_by_one_worker) {
    WebServer server;
    CatConfig cat = http_cat(server.port());
    cat.timeout = 500ms;
    WorkerHarness worker(cat);
    BOOST_TEST(worker.probe(kSome).verdict == Verdict::success);
    server.set_mode("hang");
    BOOST_TEST(worker.probe(kSome).message == "no answer within 0.5 s");
    server.set_mode("fail");
    BOOST_TEST(worker.probe(kSome).message == "HTTP 500, expected 200-399");
    server.set_mode("ok");
    BOOST_TEST(worker.probe(kSome).verdict == Verdict::success);
}

BOOST_AUTO_TEST_CASE(a_closed_port_is_refused) {
    const Report report = probe_once(http_cat(free_port()));
    BOOST_TEST(report.verdict == Verdict::failure);
    BOOST_TEST(report.message == "connection refused");
}

BOOST_AUTO_TEST_CASE(ipv6_works_by_address_and_by_name) {
    if (!has_ipv6())
        skip("no IPv6 loopback");
    const WebServer server("::1");
    for (const char* host : {"::1", "[::1]", "localhost"}) {
        CatConfig cat = http_cat(server.port());
        cat.own<ServerAddress>().host = host;
        const Report report = probe_once(cat);
        BOOST_TEST(report.verdict == Verdict::success, host << ": " << report.message);
    }
}

BOOST_AUTO_TEST_CASE(an_environment_with_a_proxy_changes_nothing) {
    const WebServer server;
    ::setenv("http_proxy", "http://127.0.0.1:1/", 1);
    const Report report = probe_once(http_cat(server.port()));
    ::unsetenv("http_proxy");
    BOOST_TEST(report.verdict == Verdict::success, report.message);
}

BOOST_AUTO_TEST_SUITE_END()
