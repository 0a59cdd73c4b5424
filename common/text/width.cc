#include "common/text/width.h"

#include "common/text/printable.h"

#include <algorithm>
#include <iterator>

namespace healthcheckd {

namespace {

struct Range {
    char32_t first, last;
};

// Sorted. Marks that are drawn over the character before them, and characters that are not drawn.
constexpr Range kZero[] = {{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x064b, 0x065f},
                           {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
                           {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x2064}, {0x20d0, 0x20ff},
                           {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef}};

// Sorted. East Asian Width "wide" and "fullwidth" (Unicode, annex 11), unassigned ones between them included.
constexpr Range kWide[] = {{0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x2614, 0x2615},
                           {0x26a1, 0x26a1},   {0x2705, 0x2705},   {0x274c, 0x274c},   {0x2753, 0x2757},
                           {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},
                           {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},   {0xffe0, 0xffe6},
                           {0x16fe0, 0x18aff}, {0x1b000, 0x1b2ff}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
                           {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

template <std::size_t N> bool in(const Range (&ranges)[N], char32_t c) {
    const auto* range = std::lower_bound(std::begin(ranges), std::end(ranges), c,
                                         [](const Range& one, char32_t value) { return one.last < value; });
    return range != std::end(ranges) && range->first <= c;
}

struct Step {
    std::size_t bytes, columns;
};

Step first_character(std::string_view text) {
    const std::size_t n = utf8_length(text);
    if (n == 0)
        return {1, 1};
    const char32_t c = character(text, n);
    return {n, in(kZero, c) ? 0u : in(kWide, c) ? 2u : 1u};
}

}  // namespace

char32_t character(std::string_view text, std::size_t n) {
    const auto lead = static_cast<unsigned char>(text[0]);
    if (n == 1)
        return lead;
    char32_t c = lead & (0x7fu >> n);
    for (std::size_t i = 1; i < n; ++i)
        c = c << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
    return c;
}

std::size_t text_width(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const Step step = first_character(text);
        columns += step.columns;
        text.remove_prefix(step.bytes);
    }
    return columns;
}

std::string padded(std::string_view text, std::size_t columns, bool to_the_right) {
    const std::size_t width = text_width(text);
    const std::string blanks(columns > width ? columns - width : 0, ' ');
    return to_the_right ? blanks + std::string(text) : std::string(text) + blanks;
}

std::string clipped(std::string_view text, std::size_t columns) {
    if (text_width(text) <= columns)
        return std::string(text);
    const std::string_view dots = columns >= 6 ? "..." : "";
    std::size_t taken = 0;
    std::size_t used = 0;
    for (;;) {
        const Step step = first_character(text.substr(taken));
        if (used + step.columns > columns - dots.size())
            return std::string(text.substr(0, taken)) + std::string(dots);
        taken += step.bytes;
        used += step.columns;
    }
}

}  // namespace healthcheckd
