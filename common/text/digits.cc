#include "common/text/digits.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

namespace healthcheckd {

namespace {

constexpr std::array<double, 13> kPowers{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};
constexpr int kSignificant = 9;

// Returns value * 10^decimals rounded to a whole number; nullopt where the product, which has an error of its
// own, does not tell which one is next, or has too many digits.
std::optional<std::uint64_t> rounded(double value, int decimals) {
    constexpr double kMost = 1e15;
    constexpr double kError = 4e-16;  // of a product, relative: 2^-53 and the rest of what follows
    const double product = value * kPowers[static_cast<std::size_t>(decimals)];
    if (std::signbit(value) || !(product < kMost))
        return std::nullopt;
    const auto whole = static_cast<std::uint64_t>(product);
    const double rest = product - static_cast<double>(whole);
    if (std::abs(rest - 0.5) <= product * kError)
        return std::nullopt;
    return whole + (rest > 0.5 ? 1 : 0);
}

}  // namespace

Digits Digits::fixed(double value, int decimals) {
    Digits digits;
    digits.convert(std::isfinite(value) ? value : 0, decimals);
    return digits;
}

Digits Digits::whole(std::uint64_t value) {
    Digits digits;
    const auto end =
        std::to_chars(digits.buffer_.data(), digits.buffer_.data() + digits.buffer_.size(), value).ptr;
    digits.size_ = static_cast<std::size_t>(end - digits.buffer_.data());
    return digits;
}

// The digits of the rounded number are written from the last one on.
void Digits::convert(double value, int decimals) {
    const auto number = rounded(value, decimals);
    if (!number) {
        const auto end = std::to_chars(buffer_.data(), buffer_.data() + buffer_.size(), value,
                                       std::chars_format::fixed, decimals)
                             .ptr;
        size_ = static_cast<std::size_t>(end - buffer_.data());
        return;
    }
    std::array<char, 24> backwards;
    std::size_t n = 0;
    std::uint64_t left = *number;
    for (int i = 0; left > 0 || i <= decimals; ++i) {
        if (i == decimals && decimals > 0)
            backwards[n++] = '.';
        backwards[n++] = static_cast<char>('0' + left % 10);
        left /= 10;
    }
    while (n > 0)
        buffer_[size_++] = backwards[--n];
}

Digits Digits::general(double value) {
    constexpr double kLeast = 1e-4, kMost = 1e9 - 1;  // others have an exponent, or round to one that has
    Digits digits;
    const double finite = std::isfinite(value) ? value : 0;
    if (finite >= kLeast && finite < kMost) {
        int before = 0;  // digits before the point; negative: zeros behind it
        while (before < kSignificant && finite >= kPowers[static_cast<std::size_t>(before)])
            ++before;
        while (before <= 0 && finite * kPowers[static_cast<std::size_t>(1 - before)] < 1)
            --before;
        digits.convert(finite, kSignificant - before);
        if (before < kSignificant)
            digits.strip_zeros();
        return digits;
    }
    const auto end = std::to_chars(digits.buffer_.data(), digits.buffer_.data() + digits.buffer_.size(),
                                   finite, std::chars_format::general, kSignificant)
                         .ptr;
    digits.size_ = static_cast<std::size_t>(end - digits.buffer_.data());
    return digits;
}

void Digits::strip_zeros() {
    while (buffer_[size_ - 1] == '0')
        --size_;
    if (buffer_[size_ - 1] == '.')
        --size_;
}

}  // namespace healthcheckd
