// Numbers of files that others may have written.
#include "common/text/json_number.h"

#include "master/mailer/spool_message.h"
#include "master/notice/notice.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

using namespace healthcheckd;
using namespace healthcheckd::master;
using nlohmann::json;
using std::chrono::milliseconds;
using Time = std::chrono::system_clock::time_point;

BOOST_AUTO_TEST_SUITE(test_json_number)

namespace {

// `good` with `key`'s number replaced by each value that cannot be one; `decode` must refuse all of them.
template <class Decode> void refuses(const std::string& good, const std::string& key, Decode decode) {
    BOOST_TEST_REQUIRE(static_cast<bool>(decode(good)), good);
    const std::string name = '"' + key + "\": ";
    const std::size_t begin = good.find(name) + name.size();
    BOOST_TEST_REQUIRE(begin >= name.size(), key << " in " << good);
    const std::size_t end = good.find_first_not_of("0123456789", begin);
    for (const std::string value : {"-1", "18446744073709551616", "1e300", "0.5", "\"1\"", "null"}) {
        std::string text = good;
        BOOST_TEST(!decode(text.replace(begin, end - begin, value)), key << ": " << value);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_time_is_between_1970_and_2200_or_none) {
    const auto read = [](const char* text) {
        return time_of(json::parse(text));
    };
    BOOST_TEST((read("0") == Time{}));
    BOOST_TEST((read("7258118400000") == Time(milliseconds(kLatestMs))));
    for (const char* text : {"7258118400001", "9223372036855", "100000000000000", "9223372036854775807",
                             "18446744073709551615", "-1", "1e300", "1.5", "\"1\"", "null", "[]"})
        BOOST_CHECK_THROW(read(text), std::invalid_argument);
    BOOST_TEST(unix_ms(Time::max()) == kLatestMs);
    BOOST_TEST(unix_ms(Time::min()) == 0);
    BOOST_TEST(unix_ms(Time(milliseconds(1'800'000'000'123))) == 1'800'000'000'123);
}

BOOST_AUTO_TEST_CASE(a_count_is_whole_and_fits) {
    BOOST_TEST(whole_of<std::uint32_t>(json::parse("4294967295")) == 4294967295u);
    BOOST_CHECK_THROW(whole_of<std::uint32_t>(json::parse("4294967296")), std::invalid_argument);
    BOOST_CHECK_THROW(whole_of<pid_t>(json::parse("2147483648")), std::invalid_argument);
    BOOST_TEST(whole_of<std::uint64_t>(json::parse("18446744073709551615")) == 18446744073709551615u);
}

BOOST_AUTO_TEST_CASE(a_notice_with_numbers_that_cannot_be_is_none) {
    Notice notice;
    notice.at = Time(milliseconds(1'800'000'000'000));
    notice.verdicts = {{Time(milliseconds(1'700'000'000'000)), "failure", 1, "MB", "much"}};
    const std::string good = encode_notice(notice);
    for (const char* key : {"atMs", "pid", "failures"})
        refuses(good, key, decode_notice);
    const std::string of_verdict = "1700000000000";
    std::string text = good;
    BOOST_TEST(!decode_notice(text.replace(text.find(of_verdict), of_verdict.size(), "9223372036855")));
}

BOOST_AUTO_TEST_CASE(a_message_with_numbers_that_cannot_be_is_none) {
    SpoolMessage message;
    message.channel = "mail";
    message.made = Time(milliseconds(1'800'000'000'000));
    message.marks["mail\ncat1"] = Told::Failure{message.made, message.made, 0, false};
    const std::string good = encode_message(message);
    const auto decode = [](const std::string& text) {
        return decode_message(text, "1.mail.message");
    };
    for (const char* key : {"madeMs", "firstMs", "lastMs", "repeats", "lost", "tries"})
        refuses(good, key, decode);
}

BOOST_AUTO_TEST_SUITE_END()
