#include "master/mailer/told.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_told)

namespace {

const Told::Time kBegin{std::chrono::milliseconds(1'800'000'000'000)};

Notice notice(NoticeKind kind, std::chrono::seconds at, const std::string& cat = "cat1") {
    Notice notice;
    notice.kind = kind;
    notice.channel = "mail";
    notice.cat = cat;
    notice.at = kBegin + at;
    return notice;
}

// What becomes of the notices, a letter each: t told, r told as a reminder, - not told.
std::string fates(Told& told, const std::vector<Notice>& notices) {
    std::string out;
    for (const Notice& each : notices) {
        Told::Marks marks;
        const auto telling = told.take(each, marks);
        out += !telling ? '-' : telling->reminder ? 'r' : 't';
    }
    return out;
}

constexpr auto kFailed = NoticeKind::failed;
constexpr auto kRecovered = NoticeKind::recovered;
constexpr auto kUnmeasurable = NoticeKind::unmeasurable;

}  // namespace

BOOST_AUTO_TEST_CASE(a_failure_is_told_once_then_as_a_reminder_and_its_recovery_once) {
    Told told({.reminder = 60s});
    BOOST_TEST(fates(told, {notice(kFailed, 0s), notice(kFailed, 20s), notice(kFailed, 59s),
                            notice(kFailed, 60s), notice(kFailed, 61s), notice(kRecovered, 70s),
                            notice(kRecovered, 80s), notice(kFailed, 81s)}) == "t--r-t-t");
}

BOOST_AUTO_TEST_CASE(a_reminder_says_since_when_and_how_often) {
    Told told({.reminder = 60s});
    fates(told, {notice(kFailed, 0s), notice(kFailed, 20s), notice(kFailed, 40s)});
    Told::Marks marks;
    const auto telling = told.take(notice(kFailed, 65s), marks);
    BOOST_TEST_REQUIRE(telling.has_value());
    BOOST_TEST(telling->repeats == 2u);
    BOOST_TEST((telling->first == kBegin));
}

BOOST_AUTO_TEST_CASE(that_supervisord_gave_up_is_told_at_once_and_once) {
    Told told({.reminder = 60s});
    Notice fatal = notice(kFailed, 2s);
    fatal.state = "FATAL: Exited too quickly";
    BOOST_TEST(fates(told, {notice(kFailed, 0s), notice(kFailed, 1s), fatal, fatal}) == "t-r-");
}

BOOST_AUTO_TEST_CASE(a_recovery_is_not_told_without_a_failure_before_it) {
    Told told({});
    BOOST_TEST(fates(told, {notice(kRecovered, 0s)}) == "-");
}

BOOST_AUTO_TEST_CASE(a_recovery_that_nobody_wants_to_hear_of_still_ends_the_failure) {
    Told told({});
    Notice silent = notice(kRecovered, 10s);
    silent.announce = false;
    BOOST_TEST(fates(told, {notice(kFailed, 0s), silent, notice(kFailed, 20s)}) == "t-t");
}

BOOST_AUTO_TEST_CASE(channels_and_cats_do_not_mix) {
    Told told({});
    Notice elsewhere = notice(kFailed, 1s);
    elsewhere.channel = "webhook:x";
    BOOST_TEST(fates(told, {notice(kFailed, 0s), elsewhere, notice(kFailed, 2s, "cat2"),
                            notice(kRecovered, 3s), notice(kFailed, 4s, "cat2")}) == "tttt-");
}

BOOST_AUTO_TEST_CASE(a_check_that_cannot_be_made_is_no_failure_that_recovers) {
    Told told({.reminder = 60s});
    BOOST_TEST(fates(told, {notice(kUnmeasurable, 0s), notice(kUnmeasurable, 10s),
                            notice(kRecovered, 20s)}) == "t--");
    BOOST_TEST(told.failed_cats().empty());
}

BOOST_AUTO_TEST_CASE(what_was_told_survives_the_disk_and_marks_repeat_it) {
    Told told({.reminder = 60s});
    Told::Marks marks;
    told.take(notice(kFailed, 0s), marks);
    told.note_message("mail", kBegin);
    told.lost = 3;
    Told again({.reminder = 60s});
    BOOST_TEST(static_cast<bool>(again.decode(told.encode())));
    BOOST_TEST(again.failed_cats() == std::set<std::string>{"cat1"}, boost::test_tools::per_element());
    BOOST_TEST(again.lost == 3u);
    BOOST_TEST((again.next_message_at("mail", kBegin + 1s) == kBegin + 10s));
    Told marked({.reminder = 60s});
    marked.apply(marks);
    BOOST_TEST(fates(marked, {notice(kFailed, 1s), notice(kRecovered, 2s)}) == "-t");
}

BOOST_AUTO_TEST_CASE(a_damaged_file_changes_nothing) {
    Told told({});
    fates(told, {notice(kFailed, 0s)});
    for (const char* text :
         {"", "{", "{}", R"({"failures": {"x": {"firstMs": "no"}}, "messagesMs": {}, "lost": 0})"})
        BOOST_TEST(!told.decode(text));
    BOOST_TEST(told.failed_cats().size() == 1u);
}

// A marks' time, a message's time, a count.
BOOST_AUTO_TEST_CASE(times_and_counts_that_cannot_be_are_damage) {
    Told told({});
    fates(told, {notice(kFailed, 0s)});
    told.note_message("mail", kBegin);
    const std::string good = told.encode();
    for (const std::string from : {"\"firstMs\": 1800000000000", "\"lastMs\": 1800000000000",
                                   "   1800000000000", "\"repeats\": 0", "\"lost\": 0"})
        for (const std::string value :
             {"-1", "9223372036854775807", "9223372036855", "1e300", "1.5", "null"}) {
            std::string text = good;
            const std::size_t at = text.find(from);
            BOOST_TEST_REQUIRE(at != std::string::npos, from << " in " << good);
            const std::size_t digits = text.find_first_of("0123456789", at);
            text.replace(digits, at + from.size() - digits, value);
            const bool fits = from == "\"lost\": 0" && value.starts_with("9");
            BOOST_TEST(static_cast<bool>(Told({}).decode(text)) == fits, from << ": " << value);
        }
}

BOOST_AUTO_TEST_CASE(a_clock_beyond_all_years_writes_what_can_be_read_again) {
    for (const Told::Time at : {Told::Time::max(), Told::Time::min(), Told::Time{}}) {
        Told told({});
        told.note_message("mail", at);
        BOOST_TEST(static_cast<bool>(Told({}).decode(told.encode())));
    }
}

BOOST_AUTO_TEST_CASE(messages_keep_their_distance_and_their_number_per_hour) {
    Told told({.digest = 10s, .most_per_hour = 3});
    BOOST_TEST((told.next_message_at("mail", kBegin) == kBegin));
    told.note_message("mail", kBegin);
    BOOST_TEST((told.next_message_at("mail", kBegin + 4s) == kBegin + 10s));
    BOOST_TEST((told.next_message_at("webhook:x", kBegin + 4s) == kBegin + 4s));
    told.note_message("mail", kBegin + 10s);
    told.note_message("mail", kBegin + 20s);
    BOOST_TEST((told.next_message_at("mail", kBegin + 100s) == kBegin + 3600s));
    BOOST_TEST((told.next_message_at("mail", kBegin + 3605s) == kBegin + 3605s));
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_back_holds_up_nobody) {
    Told told({.digest = 10s, .most_per_hour = 1});
    told.note_message("mail", kBegin + 1000s);
    BOOST_TEST((told.next_message_at("mail", kBegin) == kBegin));
    Told reminding({.reminder = 60s});
    BOOST_TEST(fates(reminding, {notice(kFailed, 1000s), notice(kFailed, 990s), notice(kFailed, 0s)}) ==
               "t-r");
}

BOOST_AUTO_TEST_CASE(what_the_configuration_has_no_more_is_forgotten) {
    Told told({.reminder = 60s});
    fates(told, {notice(kFailed, 0s), notice(kFailed, 0s, "gone"), notice(kUnmeasurable, 0s, "cat2")});
    told.prune([](const std::string&, const std::string& cat) { return cat != "gone"; }, kBegin + 100s);
    BOOST_TEST(told.failed_cats() == std::set<std::string>{"cat1"}, boost::test_tools::per_element());
    BOOST_TEST(fates(told, {notice(kUnmeasurable, 100s, "cat2")}) == "t");
    told.prune([](const std::string& channel, const std::string&) { return channel != "mail"; },
               kBegin + 100s);
    BOOST_TEST(told.failed_cats().empty());
}

BOOST_AUTO_TEST_SUITE_END()
