// Numbers as text, to the digit as std::to_chars writes them, without its general conversion, which costs more
// than all other text of a probe. Every process.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace healthcheckd {

// The digits of one number, on the stack.
class Digits {
public:
    // As std::chars_format::fixed with `decimals` decimal places, 0 to 12: "3.10". Infinity and NaN are 0.
    static Digits fixed(double value, int decimals);
    // As std::chars_format::general with 9 significant digits: "3.1", "1e-05". Infinity and NaN are 0.
    static Digits general(double value);

    static Digits whole(std::uint64_t value);

    std::string_view text() const { return {buffer_.data(), size_}; }

private:
    void convert(double value, int decimals);
    void strip_zeros();

    std::array<char, 330> buffer_;  // the largest double has 309 digits before the point
    std::size_t size_ = 0;
};

}  // namespace healthcheckd
