#include "common/proc/procfs.h"

#include "common/system/unique_fd.h"
#include "t/fixture/basics.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <csignal>

using namespace healthcheckd;

BOOST_AUTO_TEST_SUITE(test_procfs)

namespace {

// As Linux 6.18 writes it, shortened.
constexpr std::string_view kSmaps =
    "55d0c0a0f000-7ffd1c5fe000 ---p 00000000 00:00 0                  [rollup]\n"
    "Rss:               69632 kB\n"
    "Pss:               35840 kB\n"
    "Pss_Dirty:         35000 kB\n"
    "Private_Clean:       128 kB\n"
    "Private_Dirty:      1024 kB\n"
    "Private_Hugetlb:       0 kB\n"
    "SwapPss:              77 kB\n";

}  // namespace

BOOST_AUTO_TEST_CASE(a_field_is_found_by_its_whole_name_only) {
    BOOST_TEST(kilobytes(kSmaps, "Pss").value() == 35840u);
    BOOST_TEST(kilobytes(kSmaps, "SwapPss").value() == 77u);
    BOOST_TEST(kilobytes(kSmaps, "Private_Dirty").value() == 1024u);
    BOOST_TEST(!kilobytes(kSmaps, "ss"));
    BOOST_TEST(!kilobytes(kSmaps, "Private"));
    BOOST_TEST(!kilobytes("SwapPss: 1 kB\nPss_Anon: 2 kB\n", "Pss"));
}

BOOST_AUTO_TEST_CASE(a_field_without_a_plain_number_in_kb_is_none) {
    for (const std::string_view text : {"Pss:\n", "Pss: x kB\n", "Pss: 12x kB\n", "Pss: -1 kB\n", "Pss: 12\n",
                                        "Pss: 12 MB\n", "Pss: 99999999999999999999 kB\n", ""})
        BOOST_TEST(!kilobytes(text, "Pss"), text);
}

BOOST_AUTO_TEST_CASE(resident_pages_are_the_second_number) {
    BOOST_TEST(resident_pages("1000 512 300 1 0 200 0\n").value() == 512u);
    BOOST_TEST(resident_pages("0 0 0 0 0 0 0\n").value() == 0u);
    for (const std::string_view text : {"", "12", "12 x", "x 12", "-1 -2 3"})
        BOOST_TEST(!resident_pages(text), text);
}

BOOST_AUTO_TEST_CASE(idle_and_iowait_are_not_busy_and_guest_is_not_counted_twice) {
    const auto ticks = machine_ticks("cpu  100 10 50 1000 200 3 7 30 90 9\ncpu0 1 2 3 4 5 6 7 8 9 10\n");
    BOOST_TEST_REQUIRE(ticks.has_value());
    BOOST_TEST(ticks->busy == 200u);
    BOOST_TEST(ticks->total == 1400u);
    for (const std::string_view text : {"", "cpu0 1 2 3 4 5 6 7 8\n", "cpu 1 2 3\n", "cpu 1 2 3 x 5 6 7 8\n"})
        BOOST_TEST(!machine_ticks(text), text);
}

BOOST_AUTO_TEST_CASE(status_tells_process_and_user) {
    const auto ids =
        status_ids("Name:\tUid: 7\nTgid:\t12\nPid:\t13\nPPid:\t11\nUid:\t1000\t1001\t1000\t1000\n");
    BOOST_TEST_REQUIRE(ids.has_value());
    BOOST_TEST(ids->thread_group == 12);
    BOOST_TEST(ids->parent == 11);
    BOOST_TEST(ids->real_uid == 1000u);
    BOOST_TEST(ids->effective_uid == 1001u);
    BOOST_TEST(ids->pid_namespaces == 0);
    const std::string needed = "Tgid:\t12\nPPid:\t11\nUid:\t0\t0\t0\t0\n";
    BOOST_TEST(status_ids(needed + "NSpid:\t12\nNSpgid:\t12\t1\n")->pid_namespaces == 1);
    BOOST_TEST(status_ids(needed + "NSpid:\t12\t7\t1\nNSpgid:\t12\n")->pid_namespaces == 3);
    BOOST_TEST(status_ids(needed + "NSpid:\t12")->pid_namespaces == 0);  // cut off
    BOOST_TEST(!status_ids("Tgid:\t12\n"));
    BOOST_TEST(!status_ids("Tgid:\t12\nUid:\t1\t1\t1\t1\n"));
}

BOOST_AUTO_TEST_CASE(the_kernels_own_files_are_understood) {
    std::array<char, 8192> buffer;
    BOOST_TEST(resident_pages(*read_text("/proc/self/statm", buffer)).value_or(0) > 0u);
    BOOST_TEST(kilobytes(*read_text("/proc/self/smaps_rollup", buffer), "Pss").value_or(0) > 0u);
    BOOST_TEST(kilobytes(*read_text("/proc/meminfo", buffer), "MemAvailable").value_or(0) > 0u);
    BOOST_TEST(machine_ticks(*read_text("/proc/stat", buffer))->total > 0u);
    BOOST_TEST(status_ids(*read_text("/proc/self/status", buffer))->thread_group == ::getpid());
}

BOOST_AUTO_TEST_CASE(a_text_is_read_anew_each_time_and_a_lost_process_is_esrch) {
    test::Subprocess child({"/bin/sleep", "60"});
    const UniqueFd file(::open(("/proc/" + std::to_string(child.pid()) + "/stat").c_str(), O_RDONLY));
    std::array<char, 2048> buffer;
    BOOST_TEST(static_cast<bool>(read_text(file.get(), buffer)));
    BOOST_TEST(static_cast<bool>(read_text(file.get(), buffer)));
    child.signal(SIGKILL);
    child.wait(std::chrono::seconds(10));
    BOOST_TEST(read_text(file.get(), buffer).error().code == ESRCH);
}

BOOST_AUTO_TEST_SUITE_END()
