// The width of text on a terminal. Master, healthcheckctl and configuration child.
//
// Uses wcwidth(3) of the C library in the locale C.UTF-8, its most recent version of Unicode.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace healthcheckd {

// Loads the locale's character data, which the functions below would otherwise do at the first call: for a
// process that must not block on a disk later.
void prepare_text_width();

// Returns the character in the first `n` bytes of `text`, as measured by utf8_length(); n > 0.
char32_t character(std::string_view text, std::size_t n);

// Returns the columns that `text`, which has no control characters, takes: 2 for East Asian wide characters
// and emoji, 0 for combining characters, else 1.
std::size_t text_width(std::string_view text);

// Pads the text with blanks up to `columns`; before the text if `to_the_right`.
std::string padded(std::string_view text, std::size_t columns, bool to_the_right = false);

// Truncates the text to at most `columns` columns; a truncated text ends in "...", where that fits.
std::string clipped(std::string_view text, std::size_t columns);

}  // namespace healthcheckd
