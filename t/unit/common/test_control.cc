#include "common/text/printable.h"
#include "common/wire/control.h"

#include <boost/test/unit_test.hpp>
#include <vector>

using namespace healthcheckd;
using namespace std::string_literals;

BOOST_AUTO_TEST_SUITE(test_control)

namespace {

const std::string kNastyName = "a b%\n\0\x1b[2J 网关 \xff name=x"s;

std::string line_of(const ControlRequest& request) {
    LineWriter writer = encode(request);
    return std::string(writer.line());
}

// The request as the other side reads it; it must be of the same command.
ControlRequest round_trip(const ControlRequest& request) {
    const std::string line = line_of(request);
    BOOST_TEST_REQUIRE(!line.empty());
    BOOST_TEST_REQUIRE(line.size() <= kMaxLine);
    BOOST_TEST_REQUIRE(line.find('\n') == line.size() - 1);
    ControlRequest decoded;
    BOOST_TEST_REQUIRE(decode(std::string_view(line).substr(0, line.size() - 1), decoded),
                       "refused: " << line);
    BOOST_TEST_REQUIRE((decoded.command == request.command), "read as another request: " << line);
    return decoded;
}

bool accepted(std::string_view line) {
    ControlRequest decoded;
    return decode(line, decoded);
}

}  // namespace

BOOST_AUTO_TEST_CASE(requests_are_the_lines_of_the_grammar) {
    BOOST_TEST(line_of(request_of("status")) == "status\n");
    BOOST_TEST(line_of(request_of("pause", "web:web_00", 1'800'000)) ==
               "pause name=web:web_00 for_ms=1800000\n");
    BOOST_TEST(line_of(request_of("resume", "web")) == "resume name=web\n");
    BOOST_TEST(line_of(request_of("check", "网关")) == "check name=%E7%BD%91%E5%85%B3\n");
    BOOST_TEST(line_of(request_of("test-action", "cat1/web_00")) == "test-action name=cat1/web_00\n");
    BOOST_TEST(line_of(request_of("reload")) == "reload\n");
    BOOST_TEST(line_of(request_of("history", "a b")) == "history name=a%20b\n");
}

BOOST_AUTO_TEST_CASE(requests_survive_the_way) {
    round_trip(request_of("status"));
    round_trip(request_of("reload"));
    const ControlRequest pause = round_trip(request_of("pause", kNastyName, kLongestPauseMs));
    BOOST_TEST((pause.name == kNastyName));
    BOOST_TEST(pause.for_ms == kLongestPauseMs);
    BOOST_TEST(round_trip(request_of("pause", "web", 0)).for_ms == 0);
    BOOST_TEST((round_trip(request_of("resume", kNastyName)).name == kNastyName));
    BOOST_TEST((round_trip(request_of("check", kNastyName)).name == kNastyName));
    BOOST_TEST((round_trip(request_of("test-action", kNastyName)).name == kNastyName));
    BOOST_TEST((round_trip(request_of("history", kNastyName)).name == kNastyName));
}

BOOST_AUTO_TEST_CASE(malformed_requests_are_refused) {
    const std::vector<std::string> lines = {
        "",
        " ",
        "\n",
        "\0"s,
        "Status",
        "status ",
        "status\n",
        "status\0"s,
        "status cat1",
        "status name=cat1",
        "reload ",
        "reload file=x",
        "restart name=web",
        "pause",
        "pause name=web",
        "pause name=web for_ms=",
        "pause name=web for_ms=-1",
        "pause name=web for_ms=1.5",
        "pause name=web for_ms=30m",
        "pause name=web for_ms=18446744073709551616",
        "pause name=web for_ms=" + std::to_string(kLongestPauseMs + 1),
        "pause for_ms=1 name=web",
        "pause name= for_ms=1",
        "pause name=web for_ms=1 ",
        "pause name=web for_ms=1 more=1",
        "resume",
        "resume name",
        "resume name=",
        "resume name=web for_ms=1",
        "resume  name=web",
        "check web",
        "check cat=web",
        "check name=",
        "check name=a b",
        "check name=网关",
        "check name=%",
        "check name=%4",
        "check name=%zz",
        "check name=%e7",
        "check name=a\nb",
        "check name=" + std::string(kMaxLine, 'x'),
        "test_action name=web",
        "test-action name=",
        "test-action name=web dry=1",
        "history",
        "history name=",
        "history name=a name=b",
        "GET / HTTP/1.1\r",
    };
    for (const std::string& line : lines)
        BOOST_TEST(!accepted(line), "accepted: " << printable(line, 100));
}

BOOST_AUTO_TEST_CASE(a_request_that_was_cut_is_refused) {
    const std::string good = "test-action name=%E7%BD%91";
    BOOST_TEST(accepted(good));
    for (std::size_t n = 0; n < good.find('=') + 1; ++n)
        BOOST_TEST(!accepted(good.substr(0, n)), good.substr(0, n));
    for (const std::size_t off : {1, 2, 4, 5})
        BOOST_TEST(!accepted(good.substr(0, good.size() - off)), good.substr(0, good.size() - off));
}

BOOST_AUTO_TEST_CASE(a_name_that_does_not_fit_gives_no_line) {
    BOOST_TEST(line_of(request_of("check", std::string(5000, 'x'))).empty());
    BOOST_TEST(line_of(request_of("check", std::string(2000, '\n'))).empty());
    BOOST_TEST(line_of(request_of("pause", std::string(1 << 20, 'x'), 1)).empty());
    const std::string longest(kMaxLine - 1 - std::string("check name=").size(), 'x');
    BOOST_TEST((round_trip(request_of("check", longest)).name == longest));
}

BOOST_AUTO_TEST_SUITE_END()
