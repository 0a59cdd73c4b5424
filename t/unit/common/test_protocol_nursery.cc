#include "common/wire/protocol_nursery.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace healthcheckd;

BOOST_AUTO_TEST_SUITE(test_protocol_nursery)

namespace {

template <class Line> bool accepted(const std::string& line) {
    Line decoded;
    return decode(line, decoded);
}

template <class Line, class Message> Message round_trip(const Message& message) {
    LineWriter writer = encode(message);
    std::string line(writer.line());
    BOOST_TEST_REQUIRE(line.ends_with('\n'));
    line.pop_back();
    Line decoded;
    BOOST_TEST_REQUIRE(decode(line, decoded), line);
    return std::get<Message>(decoded);
}

const std::string kOrder =
    "order index=1 name=a program=b title=c logs=1 uid=5 gid=6 single=0 missing= left=";

}  // namespace

BOOST_AUTO_TEST_CASE(an_order_arrives_as_it_was_sent) {
    const WorkerOrder sent{.index = 63,
                           .name = "cat 1/web_00",
                           .program = "group:web 00",
                           .title = "healthcheckd: cat 1 [mem web]",
                           .logs = false,
                           .uid = 61'184,
                           .gid = 61'185,
                           .single = true,
                           .missing = "own uid",
                           .left = {{12, 18'446'744'073'709'551'615U, true}, {4'194'304, 0, false}}};
    const auto got = round_trip<NurseryCommand>(sent);
    BOOST_TEST(got.index == sent.index);
    BOOST_TEST(got.name == sent.name);
    BOOST_TEST(got.program == sent.program);
    BOOST_TEST(got.title == sent.title);
    BOOST_TEST(got.logs == sent.logs);
    BOOST_TEST(got.uid == sent.uid);
    BOOST_TEST(got.gid == sent.gid);
    BOOST_TEST(got.single == sent.single);
    BOOST_TEST(got.missing == sent.missing);
    BOOST_TEST((got.left == sent.left));
    BOOST_TEST(round_trip<NurseryCommand>(WorkerOrder{}).left.empty());
}

BOOST_AUTO_TEST_CASE(pids_and_errors_arrive_in_their_order) {
    const std::vector<pid_t> pids{1, -11, 4'194'304};
    BOOST_TEST(round_trip<NurseryAnswer>(ForkedWorkers{pids}).pids == pids);
    BOOST_TEST(round_trip<NurseryAnswer>(ForkedWorkers{}).pids.empty());
}

BOOST_AUTO_TEST_CASE(sixty_four_pids_fit_a_line) {
    const std::vector<pid_t> pids(64, 4'194'304);
    BOOST_TEST(round_trip<NurseryAnswer>(ForkedWorkers{pids}).pids == pids);
}

BOOST_AUTO_TEST_CASE(lists_out_of_the_grammar_are_refused) {
    BOOST_TEST(accepted<NurseryCommand>(kOrder));
    BOOST_TEST(accepted<NurseryCommand>(kOrder + "7:8:1"));
    for (const char* left :
         {"7", "7:8", "7:8:2", "7:8:1:9", "7:8:1,", ",7:8:1", ":8:1", "x:8:1", "7:-8:1", "7:8:"})
        BOOST_TEST(!accepted<NurseryCommand>(kOrder + left), left);
    for (const char* pids : {"1,", ",1", "1,,2", "x", "1x", "99999999999"})
        BOOST_TEST(!accepted<NurseryAnswer>(std::string("forked pids=") + pids), pids);
    for (const char* line : {"fork x=1", "configure pids=1", "order", "forked", "born pids=1"}) {
        BOOST_TEST(!accepted<NurseryCommand>(line), line);
        BOOST_TEST(!accepted<NurseryAnswer>(line), line);
    }
}

BOOST_AUTO_TEST_SUITE_END()
