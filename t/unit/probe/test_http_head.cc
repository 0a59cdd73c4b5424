// What a response says by its head and when it is whole, in whatever pieces it arrives.
#include "worker/probe/http_body.h"
#include "worker/probe/http_head.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace healthcheckd::worker;
using namespace std::string_literals;
using State = HttpHead::State;

BOOST_TEST_DONT_PRINT_LOG_VALUE(State)

BOOST_AUTO_TEST_SUITE(test_http_head)

namespace {

struct Read {
    State state;
    int status;
    std::string rest;  // what belongs to the body
    bool whole;        // the body
};

// `response`, `piece` bytes at a time.
Read read_in(std::size_t piece, const std::string& response, bool ends = false, std::size_t most = 1000) {
    HttpHead head(most);
    std::string rest;
    for (std::size_t at = 0; at < response.size(); at += piece) {
        const std::string bytes = response.substr(at, piece);
        rest += bytes.substr(head.take(bytes));
    }
    if (ends)
        head.end();
    bool whole = false;
    if (head.state() == State::complete) {
        HttpBody body(head, false);
        for (std::size_t at = 0; at < rest.size(); at += piece)
            body.take(std::string_view(rest).substr(at, piece));
        whole = body.whole();
    }
    return {head.state(), head.status(), rest, whole};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_final_head_is_known_in_whatever_pieces_it_comes) {
    struct Row {
        std::string response;
        int status;
        std::string rest;
    };
    for (const Row& row :
         {Row{"HTTP/1.1 200 OK\r\n\r\nrest", 200, "rest"}, Row{"HTTP/1.0 404\nA: b\n\nrest", 404, "rest"},
          Row{"HTTP/1.1 103 x\r\nA: b\r\n\r\nHTTP/1.1 503 y\r\nA: b\r\n\r\n", 503, ""},
          Row{"HTTP/1.1 101 Switching\r\n\r\n\n", 101, "\n"},
          Row{"HTTP/1.1 200 \r\nno colon\r\n\r\n", 200, ""}, Row{"HTTP/1.1  \t200OK\r\n\r\n", 200, ""},
          Row{"http/2 200-OK\r\n\r\n", 200, ""},
          Row{"HTTP/1.1 999 x\r\n: a\r\n\tfolded\r\nA: \0\r\n\r\n"s, 999, ""}})
        for (const std::size_t piece : {1u, 2u, 7u, 1000u})
            BOOST_TEST_CONTEXT(row.response << " by " << piece) {
                const Read read = read_in(piece, row.response);
                BOOST_TEST(read.state == State::complete);
                BOOST_TEST(read.status == row.status);
                BOOST_TEST(read.rest == row.rest);
            }
}

BOOST_AUTO_TEST_CASE(what_is_no_http_is_known_from_its_first_line_even_before_that_ends) {
    for (const std::string& response :
         {"\r\n"s, "SSH-2.0-x"s, "220 mail"s, "HTTP/ 200 OK\r\n"s, "HTTP/1.1\r\n"s, "HTTP/1.1 20x OK\r\n"s,
          "HTTP/1.1 2000 OK\r\n"s, "HTTP/1.1 2\r\n"s, "HTTP/1.1-200 OK\r\n"s, "HTTP/1.1 099 x\r\n"s,
          "HTTP/x 200 OK\r\n"s, "HTTP/1.1 \r\n"s, "\0"s, "HTTP/1.1 +20 x\r\n"s,
          "HTTP/1.1 100 x\r\n\r\nhello"s})
        for (const std::size_t piece : {1u, 1000u})
            BOOST_TEST(read_in(piece, response).state == State::no_http, response);
    for (const std::string& response : {""s, "H"s, "HTTP/1."s, "HTTP/1.1 2"s, "HTTP/1.1 103 x\r\n\r\nHTT"s})
        BOOST_TEST(read_in(1, response).state == State::incomplete, response);
}

BOOST_AUTO_TEST_CASE(the_end_of_the_connection_completes_a_final_head_whose_last_line_is_whole) {
    for (const char* response : {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\nA: b\n"})
        BOOST_TEST(read_in(3, response, true).state == State::complete, response);
    for (const char* response : {"", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\nA: b", "HTTP/1.1 103 x\r\n\r\n",
                                 "HTTP/1.1 103 x\r\n", "HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK"})
        BOOST_TEST(read_in(3, response, true).state == State::incomplete, response);
}

BOOST_AUTO_TEST_CASE(heads_have_a_limit_together_and_a_line_too_long_is_told_from_too_many) {
    const std::string line = "X: " + std::string(95, 'a') + "\r\n";  // 100 bytes
    std::string many = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 20; ++i)
        many += line;
    std::string interim;
    for (int i = 0; i < 100; ++i)
        interim += "HTTP/1.1 100 C\r\n\r\n";
    for (const std::size_t piece : {1u, 99u, 5000u}) {
        BOOST_TEST(read_in(piece, many).state == State::too_large);
        BOOST_TEST(read_in(piece, interim).state == State::too_large);
        BOOST_TEST(read_in(piece, "HTTP/1.1 200 OK\r\nX: " + std::string(2000, 'a')).state ==
                   State::line_too_long);
        BOOST_TEST(read_in(piece, many + "\r\n", false, 17 + 2000 + 2).state == State::complete);
        BOOST_TEST(read_in(piece, many + "\r\n", false, 17 + 2000 + 1).state == State::too_large);
    }
}

BOOST_AUTO_TEST_CASE(a_body_is_whole_by_its_length_its_last_chunk_or_because_there_is_none) {
    const std::string chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, Chunked\r\n\r\n";
    struct Row {
        std::string response;
        bool whole;
    };
    for (const Row& row :
         {Row{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true},
          Row{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", false},
          Row{"HTTP/1.1 200 OK\r\ncontent-length:\t0 \r\n\r\n", true},
          Row{"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", false},
          Row{"HTTP/1.1 200 OK\r\n\r\nhello", false}, Row{"HTTP/1.1 204 None\r\n\r\n", true},
          Row{"HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n", true}, Row{chunked + "0\r\n\r\n", true},
          Row{chunked + "5\r\nhello\r\n0\r\n\r\n", true}, Row{chunked + "5\r\nhello\r\n0\r\n", false},
          Row{chunked + "6\r\n\n0\r\n\r\n\r\n0\r\n\r\n", true},  // a chunk that looks like the last one
          Row{chunked + "6\r\n\n0\r\n\r\n", false},
          Row{chunked + "A;x=\"y\"\nhellohello\n000\nT: 1\r\n\n", true},
          Row{chunked + "nonsense\r\n0\r\n\r\n", false}, Row{chunked + "\r\n\r\n", false},
          Row{chunked + "ffffffffffffffffff\r\n\r\n0\r\n\r\n", false}})
        for (const std::size_t piece : {1u, 3u, 1000u}) {
            const Read read = read_in(piece, row.response);
            BOOST_TEST(read.state == State::complete);
            BOOST_TEST(read.whole == row.whole, row.response << " by " << piece);
        }
    HttpHead head(1000);
    head.take("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    BOOST_TEST(HttpBody(head, true).whole());
}

BOOST_AUTO_TEST_CASE(a_server_says_whether_it_ends_the_connection) {
    struct Row {
        const char* response;
        bool closes;
    };
    for (const Row& row : {Row{"HTTP/1.0 200 OK\r\n\r\n", true}, Row{"HTTP/1.1 200 OK\r\n\r\n", false},
                           Row{"HTTP/1.1 200 OK\r\nconnection: x , Close\r\n\r\n", true},
                           Row{"HTTP/1.1 200 OK\r\nConnection: closed\r\n\r\n", false}}) {
        HttpHead head(1000);
        head.take(row.response);
        BOOST_TEST(head.closes() == row.closes, row.response);
    }
}

BOOST_AUTO_TEST_SUITE_END()
