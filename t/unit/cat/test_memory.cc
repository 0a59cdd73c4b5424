// What one life of healthcheckd leaves to the next.
#include "master/files/memory.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::master;
using std::chrono::milliseconds;
using std::chrono::system_clock;

BOOST_AUTO_TEST_SUITE(test_memory)

namespace {

Memory two_cats() {
    const system_clock::time_point at{milliseconds(1'700'000'000'123)};
    RememberedCat failed;
    failed.definition = "00ff";
    failed.failed = true;
    failed.failures = 2;
    failed.process = {1234, 987654321};
    failed.probes = 5'000'000'000;
    failed.fired = 7;
    failed.paused = true;
    failed.paused_until = at + milliseconds(60'000);
    failed.actions = {{at, "restart", true, "stopped (pid 1) and started"}, {at, "exec", false, "exit 3"}};
    RememberedCat other;
    other.definition = "0100";
    other.successes = 4'294'967'295;
    other.paused = true;
    return {{"cat1/网关_00", failed}, {"cat2", other}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_was_written_is_read_back_whole) {
    const std::string text = encode_memory(two_cats());
    const auto read = decode_memory(text);
    BOOST_TEST_REQUIRE(static_cast<bool>(read));
    BOOST_TEST(encode_memory(*read) == text);
    const RememberedCat& cat = read->at("cat1/网关_00");
    BOOST_TEST(cat.failed);
    BOOST_TEST(cat.failures == 2u);
    BOOST_TEST((cat.process == ProcessId{1234, 987654321}));
    BOOST_TEST(cat.probes == 5'000'000'000u);
    BOOST_TEST((cat.paused_until == two_cats().at("cat1/网关_00").paused_until));
    BOOST_TEST(cat.actions.at(1).message == "exit 3");
    BOOST_TEST(read->at("cat2").paused);
    BOOST_TEST(!read->at("cat2").paused_until.has_value());
}

BOOST_AUTO_TEST_CASE(a_file_torn_at_any_byte_is_refused_with_a_reason) {
    const std::string text = encode_memory(two_cats());
    for (std::size_t size = 0; size + 2 < text.size(); ++size) {
        const auto read = decode_memory(std::string_view(text).substr(0, size));
        BOOST_TEST_REQUIRE(!read, size << " bytes");
        BOOST_TEST(!read.error().what.empty());
    }
}

BOOST_AUTO_TEST_CASE(values_that_cannot_be_are_refused) {
    for (const auto& [from, to] : {std::pair<std::string, std::string>{"\"failures\": 2", "\"failures\": -1"},
                                   {"\"failures\": 2", "\"failures\": 4294967296"},
                                   {"\"failures\": 2", "\"failures\": 2.5"},
                                   {"\"failed\": true", "\"failed\": 1"},
                                   {"\"version\": 1", "\"version\": 2"},
                                   {"1700000060123", "-1"},
                                   {"1700000060123", "9223372036854775807"},
                                   {"1700000060123", "9223372036855"},  // ms: more than the clock holds in ns
                                   {"1700000060123", "7258118400001"},
                                   {"1700000060123", "1e300"},
                                   {"1700000060123", "1700000060123.5"},
                                   {"\"pid\": 1234", "\"pid\": 4294967295"},
                                   {"\"exit 3\"", "[]"}}) {
        std::string text = encode_memory(two_cats());
        const std::size_t at = text.find(from);
        BOOST_TEST_REQUIRE(at != std::string::npos, from);
        BOOST_TEST(!decode_memory(text.replace(at, from.size(), to)), to);
    }
}

BOOST_AUTO_TEST_SUITE_END()
