// How many columns of a terminal a text takes. Master, healthcheckctl and configuration child.
//
// A table of our own rather than wcwidth(3), which knows nothing outside of ASCII in the locale C that
// containers and supervisord give.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace healthcheckd {

// The character in the `n` bytes at the begin of `text` that utf8_length() has measured; n > 0.
char32_t character(std::string_view text, std::size_t n);

// Columns of `text`, which has no control characters: 2 for East Asian wide characters and emoji, 0 for
// combining ones, else 1.
std::size_t text_width(std::string_view text);

// The text with blanks after it, or before it, up to `columns`.
std::string padded(std::string_view text, std::size_t columns, bool to_the_right = false);

// At most `columns` columns of it; what was cut ends in "...", where that fits.
std::string clipped(std::string_view text, std::size_t columns);

}  // namespace healthcheckd
