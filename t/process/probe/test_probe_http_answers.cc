// What is an answer of an HTTP server: servers made by hand, as they are found, against the real worker.
#include "common/text/printable.h"
#include "t/fixture/checks.h"
#include "t/fixture/net/raw_server.h"
#include "t/fixture/net/web_server.h"
#include "t/fixture/process/shared_count.h"
#include "t/fixture/process/worker_harness.h"
#include "t/fixture/slower.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_probe_http_answers)

namespace {

constexpr ProcessId kSome{12345, 1};

CatConfig http_cat(int port, const std::string& path = "/") {
    CatConfig cat;
    cat.set_type(kHttpCheck);
    cat.own<ServerAddress>().host = "127.0.0.1";
    cat.own<ServerAddress>().port = port;
    cat.own<HttpCheck>().path = path;
    cat.timeout = 2s;
    return cat;
}

CatConfig post_cat(int port) {
    CatConfig cat = http_cat(port);
    cat.own<HttpCheck>().method = "POST";
    return cat;
}

// Larger than what loopback takes before somebody reads.
WorkerHarness::Secrets large_body() {
    WorkerHarness::Secrets secrets;
    secrets.json = "[" + std::string(32'000, ' ') + "]";
    return secrets;
}

constexpr const char* kHead = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";

}  // namespace

BOOST_AUTO_TEST_CASE(a_sloppy_head_is_a_head) {
    for (const char* answer :
         {"HTTP/1.1 200 OK\r\n\r\nhello", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
          "HTTP/1.1 200 OK\n\nhello", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "HTTP/1.1 200\r\n\r\n",
          "HTTP/1.0 200 OK\r\n\r\nhello",
          "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"})
        BOOST_TEST_CONTEXT(answer) {
            const RawServer server([&](int connection) {
                hear_request(connection);
                say(connection, answer);
            });
            WorkerHarness worker(http_cat(server.port()));
            for (int i = 0; i < 3; ++i) {
                const Report report = worker.probe(kSome);
                BOOST_TEST(report.verdict == Verdict::success, report.message);
                BOOST_TEST(report.message.starts_with("HTTP 200 in "), report.message);
            }
        }
}

BOOST_AUTO_TEST_CASE(a_header_that_is_none_does_not_make_the_status_another) {
    using namespace std::string_literals;
    for (const std::string& header :
         {"Content-Length: -5"s, "Content-Length: abc"s, "Content-Length: 99999999999999999999999"s,
          "no colon"s, "X-A: \0"s, ": a"s, "Transfer-Encoding: odd"s, "Transfer-Encoding: odd, chunked"s,
          "Location:"s, "Content-Range: x"s, "Retry-After: x"s})
        BOOST_TEST_CONTEXT(printable(header)) {
            const RawServer server([&](int connection) {
                hear_request(connection);
                say(connection, "HTTP/1.1 200 OK\r\nX-B: b\r\n" + header + "\r\nX-C: c\r\n\r\nhello");
            });
            for (int i = 0; i < 3; ++i) {
                const Report report = WorkerHarness(http_cat(server.port())).probe(kSome);
                BOOST_TEST(report.verdict == Verdict::success, report.message);
            }
            CatConfig strict = http_cat(server.port());
            strict.own<HttpCheck>().expect_status = {{204, 204}};
            BOOST_TEST(WorkerHarness(strict).probe(kSome).message == "HTTP 200, expected 204");
        }
}

BOOST_AUTO_TEST_CASE(what_comes_after_the_head_or_does_not_makes_no_failure) {
    struct Row {
        const char* answer;
        bool reset;
    };
    for (const Row& row : {Row{kHead, false}, Row{kHead, true},
                           Row{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", false},
                           Row{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", true},
                           Row{"HTTP/1.1 200 OK\r\n\r\nhello", true},
                           Row{"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nhello", false}})
        BOOST_TEST_CONTEXT(row.answer << row.reset) {
            const RawServer server([&](int connection) {
                hear_request(connection);
                say(connection, row.answer);
                if (row.reset)
                    reset_at_close(connection);
            });
            WorkerHarness worker(http_cat(server.port()));
            for (int i = 0; i < 10; ++i) {
                const Report report = worker.probe(kSome);
                BOOST_TEST(report.verdict == Verdict::success, report.message);
                BOOST_TEST(report.took_us < 150'000u * slower());
            }
            CatConfig strict = http_cat(server.port());
            strict.own<HttpCheck>().expect_status = {{204, 204}};
            BOOST_TEST(WorkerHarness(strict).probe(kSome).message == "HTTP 200, expected 204");
        }
}

// The kernel resets a connection whose data nobody has read.
BOOST_AUTO_TEST_CASE(a_server_that_answers_without_reading_the_request_has_answered) {
    for (const bool at_once : {false, true})
        for (const bool large : {false, true}) {
            const RawServer server([&](int connection) {
                if (!at_once) {
                    pollfd waiting{connection, POLLIN, 0};
                    (void)::poll(&waiting, 1, 5000);
                }
                say(connection, kHead);
                if (at_once)
                    reset_at_close(connection);
            });
            WorkerHarness worker(large ? post_cat(server.port()) : http_cat(server.port()),
                                 large ? large_body() : WorkerHarness::Secrets{});
            for (int i = 0; i < 50; ++i) {
                const Report report = worker.probe(kSome);
                BOOST_TEST(report.verdict == Verdict::success, at_once << large << ": " << report.message);
            }
        }
}

BOOST_AUTO_TEST_CASE(a_head_that_does_not_end_is_none) {
    struct Row {
        const char* answer;
        bool reset;
        const char* message;  // how it begins
    };
    for (const Row& row :
         {Row{"HTTP/1.1 200 OK\r\nX-A: ", true, "the connection was lost: "},
          Row{"HTTP/1.1 200 OK\r\nContent-Le", false,
              "HTTP 200, but the connection was closed within a header"},
          Row{"HTTP/1.1 200 OK\r\nX-A: a\r\n\tb", false,
              "HTTP 200, but the connection was closed within a header"},
          Row{"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nX", false,
              "HTTP 200, but the connection was closed within a header"},
          Row{"HTTP/1.1 200 OK", false, "the connection was closed without an answer"},
          Row{"HTTP/1.1 100 Continue\r\n\r\n", false, "the connection was closed without an answer"},
          Row{"HTTP/1.1 103 Early Hints\r\n\r\n", true, "the connection was lost: "},
          Row{"", false, "the connection was closed without an answer"},
          Row{"", true, "the connection was lost: "}, Row{"hello\r\n\r\n", false, "bad response: "}})
        BOOST_TEST_CONTEXT(row.answer) {
            const RawServer server([&](int connection) {
                hear_request(connection);
                say(connection, row.answer);
                if (row.reset)
                    reset_at_close(connection);
            });
            CatConfig cat = http_cat(server.port());
            cat.own<HttpCheck>().expect_status = {{100, 599}};
            const Report report = WorkerHarness(cat).probe(kSome);
            BOOST_TEST(report.verdict == Verdict::failure);
            BOOST_TEST(report.message.starts_with(row.message), report.message);
        }
}

BOOST_AUTO_TEST_CASE(the_time_told_is_that_to_the_head_and_a_body_without_end_costs_little_more) {
    SharedCount ends;
    const RawServer server([&](int connection) {
        hear_request(connection);
        say(connection, "HTTP/1.1 200 OK\r\n\r\nsome");
        ends.add(hear_end(connection) == 0);
    });
    WorkerHarness worker(http_cat(server.port()));
    for (int i = 0; i < 3; ++i) {
        const Report report = worker.probe(kSome);
        BOOST_TEST(report.verdict == Verdict::success);
        BOOST_TEST(report.took_us >= 190'000u);
        BOOST_TEST(report.took_us < 1'000'000u * slower());
        BOOST_TEST(report.value * 1000 + 150'000 < static_cast<double>(report.took_us));
    }
    BOOST_TEST(wait_until([&] { return ends == 3; }));
}

BOOST_AUTO_TEST_CASE(the_limit_of_time_holds_for_what_follows_the_head_too) {
    const RawServer server([&](int connection) {
        hear_request(connection);
        say(connection, "HTTP/1.1 200 OK\r\n\r\nsome");
        hear_end(connection);
    });
    CatConfig cat = http_cat(server.port());
    cat.timeout = 100ms;
    WorkerHarness worker(cat);
    const Report report = worker.probe(kSome);
    BOOST_TEST(report.verdict == Verdict::success, report.message);
    BOOST_TEST(report.took_us < 190'000u * slower());
}

BOOST_AUTO_TEST_CASE(a_page_of_two_megabytes_is_taken_whole_and_its_server_sees_a_proper_end) {
    const std::string page(2 << 20, 'x');
    SharedCount sent, ends;
    const RawServer server([&](int connection) {
        hear_request(connection);
        const bool all =
            say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2097152\r\n\r\n") && say(connection, page);
        sent.add(all);
        ends.add(hear_end(connection) == 0);
    });
    WorkerHarness worker(http_cat(server.port()));
    for (int i = 0; i < 5; ++i) {
        const Report report = worker.probe(kSome);
        BOOST_TEST(report.verdict == Verdict::success, report.message);
    }
    BOOST_TEST(wait_until([&] { return ends == 5; }));
    BOOST_TEST(sent == 5);
}

BOOST_AUTO_TEST_SUITE_END()
