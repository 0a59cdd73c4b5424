// Points in time as text. Every process.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace healthcheckd {

// RFC 3339 in UTC, with milliseconds: "2026-01-02T15:04:05.678Z".
std::string utc_timestamp(std::chrono::system_clock::time_point at);

// "2026-01-02 15:04:05.678" of this machine's zone, for logs. Once tzset(3) was called it opens no file, so
// that a confined process can use it.
std::string log_time(std::chrono::system_clock::time_point at);

// "2026-01-02 15:04:05 +0100", for people of this machine's zone.
std::string local_time(std::chrono::system_clock::time_point at);

// "3 s", "5 min", "2 h", "4 d"; "0 s" for what is negative.
std::string age_text(std::chrono::system_clock::duration age);

// What an action that began `ago` is doing: "restarting for 12 s (STOPPING)". `kind`: restart, kill or exec.
// `phase`: may be empty.
std::string activity_text(std::string_view kind, std::chrono::system_clock::duration ago,
                          std::string_view phase);

}  // namespace healthcheckd
