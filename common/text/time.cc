#include "common/text/time.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <spdlog/fmt/chrono.h>

namespace healthcheckd {

std::string utc_timestamp(std::chrono::system_clock::time_point at) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(at);
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(at - whole).count();
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(whole)), rest);
}

namespace {

constexpr std::int64_t kQuarter = 900;
constexpr std::int64_t kHour = 3600;

// Writes the last `count` decimal digits of `value`.
void put_digits(char* at, int count, std::int64_t value) {
    while (count-- > 0) {
        at[count] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
}

}  // namespace

void LogClock::ask(std::int64_t second) {
    const std::time_t seconds = second;
    std::tm local{};
    ::localtime_r(&seconds, &local);  // unlike strftime(3), never reads /etc/localtime again
    constexpr std::string_view kForm = "0000-00-00 00:00:00.000";
    std::copy(kForm.begin(), kForm.end(), text_.begin());
    put_digits(&text_[0], 4, local.tm_year + 1900);
    put_digits(&text_[5], 2, local.tm_mon + 1);
    put_digits(&text_[8], 2, local.tm_mday);
    put_digits(&text_[11], 2, local.tm_hour);
    quarter_ = second / kQuarter;
    hour_began_ = second - local.tm_min * 60 - local.tm_sec;
}

std::string_view LogClock::text(std::chrono::system_clock::time_point at) {
    const std::int64_t ms =
        std::chrono::floor<std::chrono::milliseconds>(at).time_since_epoch() / std::chrono::milliseconds(1);
    const std::int64_t second = ms / 1000;
    if (second / kQuarter != quarter_ || second < hour_began_ || second - hour_began_ >= kHour)
        ask(second);
    const std::int64_t in_hour = second - hour_began_;
    put_digits(&text_[14], 2, in_hour / 60);
    put_digits(&text_[17], 2, in_hour % 60);
    put_digits(&text_[20], 3, ms % 1000);
    return {text_.data(), text_.size()};
}

std::string local_time(std::chrono::system_clock::time_point at) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
    std::tm local{};
    ::localtime_r(&seconds, &local);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %z", &local);
    return text.data();
}

std::string age_text(std::chrono::system_clock::duration age) {
    const auto seconds =
        std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(age).count());
    if (seconds < 120)
        return std::to_string(seconds) + " s";
    if (seconds < 120 * 60)
        return std::to_string(seconds / 60) + " min";
    if (seconds < 48 * 3600)
        return std::to_string(seconds / 3600) + " h";
    return std::to_string(seconds / 86400) + " d";
}

std::string activity_text(std::string_view kind, std::chrono::system_clock::duration ago,
                          std::string_view phase) {
    const std::string_view doing = kind == "restart" ? "restarting"
                                   : kind == "kill"  ? "killing"
                                                     : "running its execCmd";
    return fmt::format("{} for {}{}", doing, age_text(ago), phase.empty() ? "" : fmt::format(" ({})", phase));
}

}  // namespace healthcheckd
