// Points in time as text. Every process.
#pragma once

#include <chrono>
#include <string>

namespace healthcheckd {

// RFC 3339 in UTC, with milliseconds: "2026-01-02T15:04:05.678Z".
std::string utc_timestamp(std::chrono::system_clock::time_point at);

// "2026-01-02 15:04:05.678" of this machine's zone, for logs. Once tzset(3) was called it opens no file, so
// that a confined process can use it.
std::string log_time(std::chrono::system_clock::time_point at);

// "2026-01-02 15:04:05 +0100", for people of this machine's zone.
std::string local_time(std::chrono::system_clock::time_point at);

}  // namespace healthcheckd
