#include "worker/probe/http_request.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd::worker;

BOOST_AUTO_TEST_SUITE(test_http_request)

namespace {

std::string text_of(const HttpRequest& request) {
    std::string text = request.head;
    text.append(request.body).append(request.tail);
    // Without the version.
    const std::size_t agent = text.find("User-Agent: healthcheckd/");
    return agent == std::string::npos ? text : text.erase(agent, text.find('\n', agent) + 1 - agent);
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_method_has_its_request) {
    BOOST_TEST(text_of({"GET", "/a?b", "h:1", {}, "", "ignored"}) ==
               "GET /a?b HTTP/1.1\r\nHost: h:1\r\nAccept: */*\r\n\r\n");
    BOOST_TEST(text_of({"HEAD", "/", "h", {}, "me:pass", ""}) ==
               "HEAD / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic bWU6cGFzcw==\r\nAccept: */*\r\n\r\n");
    BOOST_TEST(text_of({"POST", "/", "h", {}, "", "{}"}) ==
               "POST / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nContent-Type: application/json\r\n"
               "Content-Length: 2\r\n\r\n{}");
    BOOST_TEST(text_of({"POST", "/", "h", {}, "", ""}) ==
               "POST / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nContent-Length: 0\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(given_headers_stand_for_those_of_the_same_name) {
    const Headers headers{{"host", "shop"},      {"ACCEPT", "text/html"}, {"User-Agent", "me"},
                          {"authorization", ""}, {"Content-type", "a/b"}, {"X", "1"}};
    BOOST_TEST(text_of({"POST", "/", "h", headers, "me:pass", "[]"}) ==
               "POST / HTTP/1.1\r\nHost: shop\r\nACCEPT: text/html\r\nUser-Agent: me\r\nauthorization:\r\n"
               "Content-type: a/b\r\nX: 1\r\nContent-Length: 2\r\n\r\n[]");
}

BOOST_AUTO_TEST_CASE(a_body_that_is_to_be_chunked_is_one_chunk) {
    const Headers headers{{"transfer-encoding", "chunked"}};
    const std::string begin = "POST / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n";
    const std::string coding = "Transfer-Encoding: chunked\r\n\r\n";
    BOOST_TEST(text_of({"POST", "/", "h", headers, "", std::string(18, 'x')}) ==
               begin + "Content-Type: application/json\r\n" + coding + "12\r\n" + std::string(18, 'x') +
                   "\r\n0\r\n\r\n");
    BOOST_TEST(text_of({"POST", "/", "h", headers, "", ""}) == begin + coding + "0\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(a_body_has_the_length_that_is_announced_whatever_headers_are_given) {
    const Headers headers{{"Transfer-Encoding", "gzip"}, {"content-length", "7"}};
    BOOST_TEST(text_of({"POST", "/", "h", headers, "", "abc"}) ==
               "POST / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nContent-Type: application/json\r\n"
               "Content-Length: 3\r\n\r\nabc");
}

BOOST_AUTO_TEST_CASE(the_authority_is_that_of_a_url) {
    BOOST_TEST(authority_of("web.example", 80, 80) == "web.example");
    BOOST_TEST(authority_of("web.example", 80, 443) == "web.example:80");
    BOOST_TEST(authority_of("::1", 8080, 80) == "[::1]:8080");
    BOOST_TEST(authority_of("[::1]", 80, 80) == "[::1]");
    BOOST_TEST(authority_of("fe80::1%eth0", 80, 80) == "[fe80::1]");
    BOOST_TEST(authority_of("[fe80::1%eth0]", 81, 80) == "[fe80::1]:81");
}

BOOST_AUTO_TEST_SUITE_END()
