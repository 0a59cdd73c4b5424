// Work of an action on a disk that may hang.
#include "master/files/disk_work.h"

#include "common/file/durable_file.h"
#include "t/fixture/process/forked.h"
#include "t/fixture/process/frozen_disk.h"
#include "t/fixture/slower.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;
using Clock = std::chrono::steady_clock;

BOOST_AUTO_TEST_SUITE(test_disk_work)

BOOST_AUTO_TEST_CASE(work_gives_what_it_returned_and_a_death_is_a_failure) {
    const DiskWork disk(-1);
    const auto ok = disk.run(5s, [] { return Result<void>(); });
    BOOST_TEST((ok && *ok));
    const auto full = disk.run(5s, [] { return Result<void>(Error{"write x", ENOSPC}); });
    BOOST_TEST_REQUIRE((full && !*full));
    BOOST_TEST(full->error().text() == "write x: No space left on device");
    BOOST_TEST(!disk.run(5s, []() -> Result<void> { ::_exit(3); }));
    BOOST_TEST(::waitpid(-1, nullptr, WNOHANG) == -1);  // none is left unreaped
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_hanging_disk_is_left_and_no_more_than_eight_are) {
    const FrozenDisk disk;
    const auto places = DiskWork::make_places();
    BOOST_TEST_REQUIRE(static_cast<bool>(places));
    const DiskWork work(places->get());
    const auto write = [&] {
        return place_file(disk.dir(), "file", "text", 0600);
    };
    disk.freeze();
    for (int i = 0; i < DiskWork::kMostLeft; ++i) {
        const auto begin = Clock::now();
        BOOST_TEST(!work.run(100ms * slower(), write));
        BOOST_TEST((Clock::now() - begin < 1s * slower()));
    }
    const auto refused = work.run(10s * slower(), write);
    BOOST_TEST_REQUIRE(!refused);
    BOOST_TEST(refused.error().text() == "the disk of stateDir hangs, 8 processes wait for it already");
    disk.thaw();
    BOOST_TEST(wait_until([&] {
        const auto written = work.run(5s, write);
        return written && *written;
    }));
    BOOST_TEST(read_file(disk.dir() + "/file") == "text");
}

BOOST_AUTO_TEST_SUITE_END()
