// The log's lines as they are written.
#include "common/log.h"
#include "t/fixture/basics.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <sys/resource.h>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_log)

BOOST_AUTO_TEST_CASE(neither_a_text_nor_a_programs_name_can_make_a_line_of_its_own) {
    const TempDir dir;
    const int fd = ::open(dir.file("log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    log::start(fd, log::Level::info);
    ::close(fd);
    log::info("cat1/web_0\n2026-01-01 00:00:00.000 info", "a\nb\x1b[2J");
    const std::string text = read_file(dir.file("log"));
    BOOST_TEST(text.find('\n') == text.size() - 1, text);
    BOOST_TEST(text.find('\x1b') == std::string::npos);
    BOOST_TEST(text.find("[cat1/web_0\\x0A2026-01-01 00:00:00.000 info] a\\x0Ab\\x1B[2J") !=
                   std::string::npos,
               text);
}

// There is room again for a line, but not for a second one.
BOOST_AUTO_TEST_CASE(lines_that_a_full_file_lost_stay_counted_when_there_is_no_room_to_say_so) {
    const TempDir dir;
    ::signal(SIGXFSZ, SIG_IGN);
    const std::string path = dir.file("log");
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    log::start(fd, log::Level::info);
    ::close(fd);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const auto leave_room_for = [&](rlim_t bytes) {
        const rlimit limit{std::filesystem::file_size(path) + bytes, before.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    };
    leave_room_for(0);
    for (int i = 0; i < 5; ++i)
        log::info("", "lost");
    leave_room_for(50);
    log::info("", "kept");  // 35 bytes
    ::setrlimit(RLIMIT_FSIZE, &before);
    log::info("", "kept");
    const std::string text = read_file(path);
    BOOST_TEST(text.find(" 5 log lines were dropped: the file ") != std::string::npos, text);
    BOOST_TEST(text.find("lost") == std::string::npos, text);
}

BOOST_AUTO_TEST_SUITE_END()
