#include "common/text/width.h"

#include "common/text/printable.h"

#include <cwchar>
#include <locale.h>

namespace healthcheckd {

namespace {

// The locale for UTF-8 characters, independent of the process's own: containers and supervisord set "C", in
// which wcwidth(3) knows only ASCII.
locale_t characters() {
    static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return locale;
}

// Returns 1 for characters that the C library does not know, and when it lacks the locale.
std::size_t columns_of(char32_t c) {
    const locale_t former = characters() != nullptr ? ::uselocale(characters()) : nullptr;
    const int columns = ::wcwidth(static_cast<wchar_t>(c));
    if (former != nullptr)
        ::uselocale(former);
    return columns < 0 ? 1 : static_cast<std::size_t>(columns);
}

struct Step {
    std::size_t bytes, columns;
};

Step first_character(std::string_view text) {
    const std::size_t n = utf8_length(text);
    if (n == 0)
        return {1, 1};
    return {n, n == 1 ? 1 : columns_of(character(text, n))};
}

}  // namespace

void prepare_text_width() {
    (void)characters();
}

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
