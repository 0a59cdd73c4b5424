#include "master/config/child_accounts.h"

#include "common/sandbox/sandbox.h"
#include "t/fixture/basics.h"
#include "t/fixture/print.h"
#include "t/fixture/skip.h"

#include <boost/test/unit_test.hpp>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_child_accounts)

BOOST_AUTO_TEST_CASE(a_range_is_two_numbers_above_the_systems_own_or_off) {
    const auto taken = [](std::string_view text) {
        const auto range = parse_uid_range(text);
        return range && uid_range_text(*range) == text;
    };
    for (const char* good : {"off", "61184-65519", "1000-1001", "524288-4294967293", "65536-70000"})
        BOOST_TEST(taken(good), good);
    for (const char* bad :
         {"", "on", "61184", "61184-", "-65519", "999-2000", "2000-2000", "3000-2000", "60000-70000",
          "65535-65600", "65000-65534", "70000-4294967294", "1e3-2e3", "70000 - 80000"})
        BOOST_TEST(!taken(bad), bad);
}

BOOST_AUTO_TEST_CASE(numbers_of_users_and_groups_are_found_and_the_mailers_user_by_its_name) {
    const TempDir dir;
    const std::string passwd = dir.write("passwd", "root:x:0:0::/root:/bin/sh\n"
                                                   "broken line\n"
                                                   "web:x:61200:61200::/:/bin/false\n"
                                                   "healthcheckd:x:990:991::/nonexistent:/usr/sbin/nologin\n"
                                                   "mine:x:1000:1000::/:/bin/sh\n");
    const std::string group = dir.write("group", "root:x:0:\nshop:x:61190:web\n");
    Config config;
    BOOST_TEST(find_accounts(config, passwd, group).empty());
    BOOST_TEST(config.taken_uids == std::vector<uid_t>({61190, 61200}), boost::test_tools::per_element());
    BOOST_TEST(config.mailer_uid == 990U);
    BOOST_TEST(config.mailer_gid == 991U);
}

BOOST_AUTO_TEST_CASE(without_such_a_user_the_mailer_has_the_first_number_that_is_free) {
    const TempDir dir;
    const std::string nobodys = dir.write("nobodys", "root:x:0:0::/root:/bin/sh\n");
    const std::string group = dir.write("group", "");
    Config config;
    const auto none_runs = [](uid_t) {
        return false;
    };
    BOOST_TEST(find_accounts(config, nobodys, group, none_runs).empty());
    BOOST_TEST((config.mailer_uid == 61184 && config.mailer_gid == 61184));
    const std::string somebodys = dir.write("somebodys", "a:x:61184:1::/:/x\nb:x:61185:1::/:/x\n");
    BOOST_TEST(find_accounts(config, somebodys, group, none_runs).empty());
    BOOST_TEST((config.mailer_uid == 61186 && config.mailer_gid == 61186));
    // One of that name with root's number is no user of its own.
    const std::string root = dir.write("root", "healthcheckd:x:0:0::/:/x\n");
    BOOST_TEST(find_accounts(config, root, group, none_runs).empty());
    BOOST_TEST(config.mailer_uid == 61184U);
    config.worker_uids = kNoUids;
    BOOST_TEST(find_accounts(config, nobodys, group, none_runs).empty());
    BOOST_TEST(config.mailer_uid == kNobody);
    BOOST_TEST(find_accounts(config, dir.file("none"), dir.file("none"), none_runs).empty());
}

// Whoever runs as it could end the mailer, and use the spool.
BOOST_AUTO_TEST_CASE(
    a_number_that_somebodys_process_runs_as_is_not_the_mailers_and_the_masters_own_keeps_it) {
    need_root("needs root, to run a process as another user");
    const TempDir dir;
    const std::string nobodys = dir.write("nobodys", "root:x:0:0::/root:/bin/sh\n");
    Config config;
    const uid_t first = 1'500'000'000 + static_cast<uid_t>(::getpid() % 1'000'000) * 10;
    config.worker_uids = {first, first + 9};
    const Subprocess other({"/bin/sleep", "1000"}, {.env = {}, .output = {}, .uid = first});
    BOOST_TEST_REQUIRE(wait_until([&] { return is_used(first, 0x3fffff); }));
    BOOST_TEST(!is_used(first + 1, 0x3fffff));
    BOOST_TEST(find_accounts(config, nobodys, dir.file("none")).empty());
    BOOST_TEST((config.mailer_uid == first + 1 && config.mailer_gid == first + 1));
    // As in the configuration child, whose parent is the mailer's.
    Subprocess child(
        [&]() -> int {
            return find_accounts(config, nobodys, dir.file("none")).empty() && config.mailer_uid == first ? 0
                                                                                                          : 1;
        },
        Subprocess::Options{});
    BOOST_TEST(child.wait(5s) == 0);
}

BOOST_AUTO_TEST_CASE(a_range_whose_numbers_belong_to_people_is_complained_about) {
    const TempDir dir;
    const std::string passwd = dir.write("passwd", "a:x:70000:1::/:/x\nb:x:70001:1::/:/x\n");
    Config config;
    config.worker_uids = {70'000, 70'002};
    BOOST_TEST(find_accounts(config, passwd, dir.file("none")) ==
               "too many of its numbers belong to somebody: 2");
    config.worker_uids = {70'000, 70'003};
    BOOST_TEST(find_accounts(config, passwd, dir.file("none")).empty());
}

BOOST_AUTO_TEST_SUITE_END()
