// The disk that hangs on demand: tests that are about it must be able to rely on it.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/process/frozen_disk.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fstream>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_frozen_disk)

namespace {

bool is_mounted(const std::string& dir) {
    return read_file("/proc/self/mounts").find(' ' + dir + ' ') != std::string::npos;
}

int write_into(const std::string& path) {
    return (std::ofstream(path) << "text").flush() ? 0 : 1;
}

}  // namespace

BOOST_AUTO_TEST_CASE(who_writes_to_a_frozen_disk_waits_where_no_signal_ends_it_until_it_is_thawed) {
    std::string dir;
    {
        const FrozenDisk disk;
        dir = disk.dir();
        BOOST_TEST(is_mounted(dir));
        BOOST_TEST(write_into(dir + "/before") == 0);
        disk.freeze();
        disk.freeze();
        Subprocess writer([&] { return write_into(dir + "/during"); }, {});
        BOOST_TEST(wait_until([&] {
            const auto process = process_info(writer.pid());
            return process && process->state == 'D';
        }));
        writer.signal(SIGKILL);
        BOOST_TEST(writer.wait(300ms) == -1);
        BOOST_TEST(read_file(dir + "/before") == "text");
        disk.thaw();
        disk.thaw();
        BOOST_TEST(writer.wait(5s) == SIGKILL);
        BOOST_TEST(write_into(dir + "/after") == 0);
    }
    BOOST_TEST(!is_mounted(dir));
}

BOOST_AUTO_TEST_CASE(a_frozen_disk_is_thawed_and_unmounted_when_its_test_is_killed) {
    const TempDir files;
    const std::string said = files.file("dir");
    Subprocess test(
        [&] {
            const FrozenDisk disk;
            disk.freeze();
            std::ofstream(said + ".new") << disk.dir();
            std::filesystem::rename(said + ".new", said);
            return write_into(disk.dir() + "/file");
        },
        {});
    if (!wait_until([&] { return std::filesystem::exists(said) || !test.running(); }) || !test.running())
        return;  // skipped there
    const std::string dir = read_file(said);
    BOOST_TEST(is_mounted(dir));
    test.signal(SIGKILL);
    BOOST_TEST(test.wait(10s) == SIGKILL);
    BOOST_TEST(wait_until([&] { return !is_mounted(dir); }));
    if (!is_mounted(dir))
        std::filesystem::remove_all(std::filesystem::path(dir).parent_path());
}

BOOST_AUTO_TEST_SUITE_END()
