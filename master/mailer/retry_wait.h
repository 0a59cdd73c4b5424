// How long a message waits for its next try. Mailer.
#pragma once

#include <chrono>
#include <cstdint>

namespace healthcheckd::master {

// `first` after the first try and twice as long after each further one, up to `longest`; up to a fifth longer
// or shorter, so that many hosts do not come back to one server together. `tries`: made so far, 1 or more.
std::chrono::milliseconds retry_wait(std::uint32_t tries, std::chrono::milliseconds first,
                                     std::chrono::milliseconds longest);

}  // namespace healthcheckd::master
