#include "common/text/digits.h"

#include <boost/test/unit_test.hpp>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>

using namespace healthcheckd;

BOOST_AUTO_TEST_SUITE(test_digits)

namespace {

std::string by_library(double value, std::chars_format format, int precision) {
    char digits[400];
    return {digits, std::to_chars(digits, std::end(digits), value, format, precision).ptr};
}

// Boost's checks would take most of the time.
void agrees(double value) {
    bool same = Digits::general(value).text() == by_library(value, std::chars_format::general, 9);
    for (int decimals = 0; decimals <= 9; ++decimals)
        same = same &&
               Digits::fixed(value, decimals).text() == by_library(value, std::chars_format::fixed, decimals);
    if (!same)
        BOOST_ERROR("not as the library writes it: " << std::hexfloat << value);
}

}  // namespace

BOOST_AUTO_TEST_CASE(numbers_are_those_of_the_library_to_the_digit) {
    std::mt19937_64 random(20261127);
    for (int i = 0; i < 30'000; ++i) {
        const std::uint64_t bits = random();
        double any = 0;
        std::memcpy(&any, &bits, sizeof any);
        if (std::isfinite(any))
            agrees(any);
        const auto whole = static_cast<double>(random() >> (random() % 64));
        agrees(whole);
        agrees(whole / 1000);
        agrees(whole * 1e-9);
    }
}

BOOST_AUTO_TEST_CASE(numbers_halfway_between_two_and_at_powers_of_ten_are_those_of_the_library) {
    for (int exponent = -12; exponent <= 17; ++exponent)
        for (int tenths = 1; tenths <= 100; ++tenths)
            for (const double off : {0.0, 0.5, 0.05, 0.005}) {
                const double value = std::pow(10, exponent) * tenths / 10 + off;
                for (const double one :
                     {value, std::nextafter(value, 0.0), std::nextafter(value, 1e300), -value})
                    agrees(one);
            }
    agrees(0);
    agrees(-0.0);
}

BOOST_AUTO_TEST_CASE(what_is_no_number_is_zero) {
    for (const double none :
         {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
        BOOST_TEST(Digits::fixed(none, 2).text() == "0.00");
        BOOST_TEST(Digits::general(none).text() == "0");
    }
}

BOOST_AUTO_TEST_SUITE_END()
