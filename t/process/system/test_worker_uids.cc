#include "master/process/worker_uids.h"

#include "master/process/loop.h"
#include "master/process/spawner.h"
#include "t/fixture/basics.h"
#include "t/fixture/skip.h"
#include "t/fixture/slower.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fcntl.h>
#include <set>
#include <sys/resource.h>
#include <unistd.h>

// Users for children: one each, that nobody else has.

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_worker_uids)

namespace {

constexpr char kWhyRoot[] = "needs root, to be given uids";

constexpr char kAllIds[] = "0 0 4294967295\n";

Config with_range(uid_t first, uid_t last) {
    Config config;
    config.worker_uids = {first, last};
    config.mailer_uid = first;
    return config;
}

// Numbers that belong to this test alone: a range of each process, above those of healthcheckd.
uid_t free_number() {
    return 1'000'000'000 + static_cast<uid_t>(::getpid() % 1'000'000) * 100;
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_child_gets_a_uid_of_its_own_that_no_process_has) {
    need_root(kWhyRoot);
    WorkerUids uids;
    uids.use(Config());
    std::vector<WorkerUids::Lease> leases;
    std::set<uid_t> numbers;
    for (int i = 0; i < 500; ++i) {
        leases.push_back(uids.take());
        const ChildUser& user = *leases.back();
        BOOST_TEST_REQUIRE((user.single && user.missing.empty() && user.gid == user.uid));
        BOOST_TEST_REQUIRE((user.uid > 61184 && user.uid <= 65519));
        errno = 0;
        BOOST_TEST_REQUIRE((::getpriority(PRIO_USER, user.uid) == -1 && errno == ESRCH));
        numbers.insert(user.uid);
    }
    BOOST_TEST(numbers.size() == 500U);
}

BOOST_AUTO_TEST_CASE(numbers_of_programs_and_of_people_and_the_mailers_are_passed_over) {
    need_root(kWhyRoot);
    const uid_t first = free_number();
    const Subprocess program({"/bin/sleep", "60"}, {.env = {}, .output = {}, .uid = first + 1});
    BOOST_TEST_REQUIRE(wait_until([&] { return ::getpriority(PRIO_USER, first + 1) == 0; }));
    WorkerUids uids;
    Config config = with_range(first, first + 3);
    config.taken_uids = {first + 2};
    uids.use(config);
    for (int i = 0; i < 3; ++i) {
        const auto lease = uids.take();
        BOOST_TEST(lease->single);
        BOOST_TEST(lease->uid == first + 3);
    }
}

BOOST_AUTO_TEST_CASE(with_more_children_than_numbers_they_share_and_say_so) {
    need_root(kWhyRoot);
    const uid_t first = free_number();
    WorkerUids uids;
    uids.use(with_range(first, first + 1));
    const auto one = uids.take();
    auto two = uids.take();
    BOOST_TEST((one->single && one->uid == first + 1));
    BOOST_TEST((!two->single && two->uid == first + 1));
    BOOST_TEST(two->missing == "single uids");
    two.reset();
    BOOST_TEST(!uids.take()->single);  // the first still has it
}

BOOST_AUTO_TEST_CASE(a_number_comes_back_when_its_child_was_reaped_and_not_before) {
    need_root(kWhyRoot);
    const uid_t first = free_number();
    Loop loop;
    Spawner spawner(loop);
    spawner.uids().use(with_range(first, first + 1));
    ChildSpec spec;
    spec.user = spawner.uids().take();
    spec.main = [](pid_t) {
        ::pause();
        return 0;
    };
    bool reaped = false;
    const auto child = spawner.spawn(spec, [&](const ChildEnd&) {
        reaped = true;
        loop.stop();
    });
    BOOST_TEST_REQUIRE(static_cast<bool>(child));
    spec.user.reset();
    BOOST_TEST(!spawner.uids().take()->single);
    spawner.kill(child->pid);
    Timer late(loop, [&] { loop.stop(); });
    late.start(Milliseconds(10'000));
    loop.run();
    BOOST_TEST(reaped);
    BOOST_TEST(spawner.uids().take()->single);
}

BOOST_AUTO_TEST_CASE(a_user_namespace_without_the_range_has_nobody_or_nothing_and_says_so) {
    need_root(kWhyRoot);
    WorkerUids bare("         0       1000          1\n", "0 1000 1\n");
    bare.use(Config());
    BOOST_TEST(bare.take()->uid == 0U);
    BOOST_TEST(bare.take()->missing == "single uids");
    WorkerUids usual("0 100000 65536\n", "0 100000 65536\n");
    usual.use(Config());
    BOOST_TEST(usual.take()->single);
    Config elsewhere = with_range(70'000, 80'000);
    usual.use(elsewhere);
    BOOST_TEST(usual.take()->uid == kNobody);
    BOOST_TEST(usual.take()->missing == "single uids");
    WorkerUids no_groups(kAllIds, "0 0 1000\n");
    no_groups.use(Config());
    BOOST_TEST(!no_groups.take()->single);
}

BOOST_AUTO_TEST_CASE(switched_off_all_are_nobody_and_nothing_is_missing) {
    need_root(kWhyRoot);
    WorkerUids uids;
    Config config;
    config.worker_uids = kNoUids;
    uids.use(config);
    BOOST_TEST(uids.take()->uid == kNobody);
    BOOST_TEST((!uids.take()->single && uids.take()->missing.empty()));
}

BOOST_AUTO_TEST_CASE(a_range_of_billions_is_searched_for_a_moment_only) {
    need_root(kWhyRoot);
    WorkerUids uids("0 0 1\n", "0 0 1\n");
    uids.use(with_range(1'000'000, 4'000'000'000));
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 20; ++i)
        (void)uids.take();
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 5s * slower()));
}

BOOST_AUTO_TEST_SUITE_END()
