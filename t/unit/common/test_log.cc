// The log's lines as they are written.
#include "common/log/log.h"

#include "common/config/config.h"
#include "common/text/printable.h"
#include "t/fixture/basics.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
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

BOOST_AUTO_TEST_CASE(a_json_line_holds_any_bytes_and_numbers_as_they_are) {
    LogClock clock;
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte)
        bytes += static_cast<char>(byte);
    const std::string who = who_of("my cat:1", bytes + "网关");
    const LogField fields[] = {{"pid", std::uint64_t{7}}, {"value", 0.5}, {"reason", bytes}};
    for (const std::string& text : {bytes, std::string(100'000, '\xff'), std::string(10'001, '"')}) {
        const std::string line = log_line(clock, LogFormat::json, LogLevel::warning, who, text, fields);
        BOOST_TEST(line.find('\n') == line.size() - 1);
        BOOST_TEST(line.size() < 100'000U);
        const auto json = nlohmann::json::parse(line);
        BOOST_TEST(json["level"] == "warning");
        BOOST_TEST(json["cat"] == "my cat:1");
        BOOST_TEST(json["program"] == printable(bytes) + "网关");
        BOOST_TEST(json["reason"] == printable(bytes));
        BOOST_TEST(json["pid"] == 7);
        BOOST_TEST(json["value"] == 0.5);
    }
    const auto part =
        nlohmann::json::parse(log_line(clock, LogFormat::json, LogLevel::info, "mailer", "ended"));
    BOOST_TEST(part["who"] == "mailer");
    BOOST_TEST(part["text"] == "ended");
    BOOST_TEST(!part.contains("cat"));
    BOOST_TEST(
        !nlohmann::json::parse(log_line(clock, LogFormat::json, LogLevel::info, "", "x")).contains("who"));
}

BOOST_AUTO_TEST_CASE(lines_lost_by_a_full_file_are_counted_in_json_too) {
    const TempDir dir;
    ::signal(SIGXFSZ, SIG_IGN);
    const std::string path = dir.file("log");
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    log::start(fd, log::Level::info);
    log::set_format(LogFormat::json);
    ::close(fd);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit none{0, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
    log::info("", "lost");
    ::setrlimit(RLIMIT_FSIZE, &before);
    log::info("", "kept");
    std::istringstream lines(read_file(path));
    std::string line;
    BOOST_TEST_REQUIRE(static_cast<bool>(std::getline(lines, line)));
    BOOST_TEST(nlohmann::json::parse(line)["text"] == "kept");
    BOOST_TEST_REQUIRE(static_cast<bool>(std::getline(lines, line)));
    BOOST_TEST(nlohmann::json::parse(line)["dropped"] == 1);
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
