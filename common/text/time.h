// Points in time as text. Every process.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace healthcheckd {

// Returns RFC 3339 in UTC, with milliseconds: "2026-01-02T15:04:05.678Z".
std::string utc_timestamp(std::chrono::system_clock::time_point at);

// "2026-01-02 15:04:05.678" in the local time zone, for logs. After tzset(3) it opens no file, so a confined
// process can use it. It asks the C library once in a quarter of an hour: no zone changes its offset within one.
class LogClock {
public:
    // Returns the text of `at`, valid until the next call.
    std::string_view text(std::chrono::system_clock::time_point at);

private:
    void ask(std::int64_t second);

    std::int64_t quarter_ = -1;
    std::int64_t hour_began_ = 0;
    std::array<char, 23> text_{};
};

// Returns "2026-01-02 15:04:05 +0100", in the local time zone.
std::string local_time(std::chrono::system_clock::time_point at);

// Returns "3 s", "5 min", "2 h" or "4 d"; "0 s" for a negative duration.
std::string age_text(std::chrono::system_clock::duration age);

// Returns what an action that began `ago` is doing: "restarting for 12 s (STOPPING)". `kind`: restart, kill
// or exec. `phase` may be empty.
std::string activity_text(std::string_view kind, std::chrono::system_clock::duration ago,
                          std::string_view phase);

}  // namespace healthcheckd
