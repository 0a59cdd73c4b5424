#include "master/mailer/retry_wait.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace healthcheckd::master {

std::chrono::milliseconds retry_wait(std::uint32_t tries, std::chrono::milliseconds first,
                                     std::chrono::milliseconds longest) {
    constexpr std::uint32_t kMostDoublings = 20;  // exceeds `longest` for any wait
    const std::uint32_t doublings = std::min(std::max(tries, 1u) - 1, kMostDoublings);
    const auto plain = std::min(longest, first * (1 << doublings));
    static std::minstd_rand random(std::random_device{}());
    return std::chrono::milliseconds(
        std::llround(static_cast<double>(plain.count()) * std::uniform_real_distribution(0.8, 1.2)(random)));
}

}  // namespace healthcheckd::master
