#include "common/system/pages.h"

#include "common/proc/procfs.h"
#include "t/fixture/basics.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <string.h>
#include <string>
#include <utility>

using namespace healthcheckd;

BOOST_AUTO_TEST_SUITE(test_pages)

namespace {

constexpr std::size_t kUsed = 100 << 10;  // bytes

[[gnu::noinline]] void use_stack() {
    std::array<char, kUsed> bytes;
    ::explicit_bzero(bytes.data(), bytes.size());
}

// What of the stack is in memory, in bytes.
std::size_t stack_in_memory() {
    std::ifstream smaps("/proc/self/smaps");
    bool stack = false;
    for (std::string line; std::getline(smaps, line);) {
        stack = stack || line.ends_with("[stack]");
        if (stack && line.starts_with("Rss:"))
            return kilobytes(line, "Rss").value_or(0) << 10;
    }
    return 0;
}

// The resident set by the pages of statm, and by the kilobytes of status, in bytes.
std::pair<std::size_t, std::size_t> resident() {
    std::array<char, 8192> buffer;
    const std::size_t pages = resident_pages(*read_text("/proc/self/statm", buffer)).value_or(0);
    return {pages * page_size(), kilobytes(*read_text("/proc/self/status", buffer), "VmRSS").value_or(0)
                                     << 10};
}

}  // namespace

BOOST_AUTO_TEST_CASE(pages_of_statm_are_of_this_kernels_size) {
    const auto [by_pages, by_kilobytes] = resident();
    BOOST_TEST(by_kilobytes > 0U);
    BOOST_TEST(by_pages > by_kilobytes / 2);
    BOOST_TEST(by_pages < by_kilobytes * 2);
}

BOOST_AUTO_TEST_CASE(used_stack_is_given_back_but_for_less_than_two_pages) {
    use_stack();
    const std::size_t used = stack_in_memory();
    release_stack();
    const std::size_t left = stack_in_memory();
    // The functions that measure use some of it too.
    BOOST_TEST(left + kUsed <= used + 2 * page_size() + (16 << 10), "used: " << used << ", left: " << left);
}

BOOST_AUTO_TEST_SUITE_END()
