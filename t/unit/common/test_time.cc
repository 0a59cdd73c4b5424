#include "common/text/time.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <ctime>
#include <random>
#include <spdlog/fmt/fmt.h>
#include <string>

using namespace healthcheckd;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_time)

namespace {

class Zone {
public:
    explicit Zone(const char* zone) {
        if (const char* before = std::getenv("TZ"))
            before_ = before;
        set(zone);
    }
    ~Zone() { set(before_.empty() ? nullptr : before_.c_str()); }
    Zone(const Zone&) = delete;
    Zone& operator=(const Zone&) = delete;

private:
    static void set(const char* zone) {
        zone != nullptr ? ::setenv("TZ", zone, 1) : ::unsetenv("TZ");
        ::tzset();
    }
    std::string before_;
};

std::string by_library(std::int64_t ms) {
    const std::time_t second = ms / 1000;
    std::tm local{};
    ::localtime_r(&second, &local);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
    return fmt::format("{}.{:03}", text.data(), ms % 1000);
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_time_of_a_log_line_is_that_of_the_zone_at_every_change_of_its_offset) {
    // Half and quarter hours; summer time of an hour and of half an hour; an offset that is no quarter.
    for (const char* name : {"UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "XXX-0:07"}) {
        const Zone zone(name);
        LogClock clock;
        std::mt19937_64 random(20261127);
        std::int64_t ms = 1'767'225'600'000;  // 2026-01-01
        for (int i = 0; i < 20'000; ++i) {
            // Through a year, now and then in short steps, and sometimes back.
            ms += static_cast<std::int64_t>(random() % (i % 3 == 0 ? 10'000'000 : 60'000)) - 5'000;
            const std::string_view text = clock.text(std::chrono::system_clock::time_point(ms * 1ms));
            if (text != by_library(ms))
                BOOST_ERROR(name << ": " << text << ", expected " << by_library(ms));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
