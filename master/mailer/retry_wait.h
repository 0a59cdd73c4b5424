// The back-off between attempts to deliver a message. Mailer.
#pragma once

#include <chrono>
#include <cstdint>

namespace healthcheckd::master {

// Returns `first` after the first attempt, doubled after each further one, up to `longest`; varied
// by up to a fifth, so that many hosts do not return to a server at the same time. `tries`:
// attempts made so far, 1 or more.
std::chrono::milliseconds retry_wait(std::uint32_t tries, std::chrono::milliseconds first,
                                     std::chrono::milliseconds longest);

}  // namespace healthcheckd::master
