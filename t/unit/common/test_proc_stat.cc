#include "common/proc/proc_stat.h"

#include <boost/test/unit_test.hpp>
#include <unistd.h>

using namespace healthcheckd;

BOOST_AUTO_TEST_SUITE(test_proc_stat)

namespace {

constexpr std::string_view kTail =
    " S 7 12 12 0 -1 4194560 9 0 0 0 150 25 0 0 20 0 1 0 81123 6045696 600 0\n";

}  // namespace

BOOST_AUTO_TEST_CASE(fields_are_found) {
    const auto stat = parse_proc_stat("12 (gateway)" + std::string(kTail));
    BOOST_REQUIRE(stat.has_value());
    BOOST_TEST(stat->comm == "gateway");
    BOOST_TEST(stat->state == 'S');
    BOOST_TEST(stat->ppid == 7);
    BOOST_TEST(stat->utime == 150u);
    BOOST_TEST(stat->stime == 25u);
    BOOST_TEST(stat->start_ticks == 81123u);
}

BOOST_AUTO_TEST_CASE(a_name_cannot_shift_the_fields) {
    for (const std::string name : {"a) S 1 2 3 (b", "x y", ")", "", "((", "a\nb"}) {
        const auto stat = parse_proc_stat("12 (" + name + ")" + std::string(kTail));
        BOOST_REQUIRE(stat.has_value());
        BOOST_TEST(stat->comm == name);
        BOOST_TEST(stat->start_ticks == 81123u);
    }
}

BOOST_AUTO_TEST_CASE(anything_else_is_refused) {
    for (const std::string_view text : {"", "12", "12 (a", "12 a) S 1", ")(", "12 (a) S 1 2 3",
                                        "12 (a) SS 7 12 12 0 -1 4194560 9 0 0 0 150 25 0 0 20 0 1 0 5 6",
                                        "12 (a) S 7 12 12 0 -1 4194560 9 0 0 0 150 25 0 0 20 0 1 0 5x 6",
                                        "12 (a) S 7 12 12 0 -1 4194560 9 0 0 0 -3 25 0 0 20 0 1 0 5 6",
                                        "12 (a)  S 7 12 12 0 -1 4194560 9 0 0 0 150 25 0 0 20 0 1 0 5 6"})
        BOOST_TEST(!parse_proc_stat(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(this_process_has_a_parent_and_a_start) {
    const auto stat = read_proc_stat(::getpid());
    BOOST_REQUIRE(static_cast<bool>(stat));
    BOOST_TEST(stat->ppid == ::getppid());
    BOOST_TEST(stat->start_ticks > 0u);
    BOOST_TEST(*start_ticks_of(::getpid()) == stat->start_ticks);
}

BOOST_AUTO_TEST_CASE(no_such_process_is_told_by_its_errno) {
    const auto stat = read_proc_stat(0x3fffffff);
    BOOST_REQUIRE(!stat);
    BOOST_TEST(stat.error().code == ENOENT);
}

BOOST_AUTO_TEST_SUITE_END()
