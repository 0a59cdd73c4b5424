// Numbers in JSON that others may have written: in range, or an exception. Every process that reads such a
// file.
//
// nlohmann's own conversion accepts any number, 1e300 for an int too, which is undefined behaviour in C++.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <stdexcept>

namespace healthcheckd {

// The year 2200. The clock counts nanoseconds in 64 bits, up to the year 2262, so that adding to such
// a time does not overflow.
inline constexpr std::int64_t kLatestMs = 7'258'118'400'000;

// Returns milliseconds since 1970 for a file: 0 to kLatestMs, whatever the clock says.
inline std::int64_t unix_ms(std::chrono::system_clock::time_point at) {
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch()).count();
    return std::clamp<std::int64_t>(ms, 0, kLatestMs);
}

// Returns an integer from 0 to the maximum of T. Throws std::invalid_argument for anything else.
template <class T, class Json> T whole_of(const Json& value) {
    if (!value.is_number_unsigned() ||
        value.template get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<T>::max()))
        throw std::invalid_argument("a number that cannot be");
    return value.template get<T>();
}

// Returns the time that unix_ms() has written. Throws std::invalid_argument for anything else.
template <class Json> std::chrono::system_clock::time_point time_of(const Json& value) {
    const auto ms = whole_of<std::int64_t>(value);
    if (ms > kLatestMs)
        throw std::invalid_argument("a time that cannot be");
    return std::chrono::system_clock::time_point(std::chrono::milliseconds(ms));
}

}  // namespace healthcheckd
