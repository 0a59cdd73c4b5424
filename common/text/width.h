// How many columns of a terminal a text takes. Master, healthcheckctl and configuration child.
//
// By wcwidth(3) of the C library in its locale C.UTF-8, which is its newest knowledge of Unicode.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace healthcheckd {

// Reads the library's file of characters, which the first call of the functions below would do otherwise: for
// a process that must not wait for a disk later.
void prepare_text_width();

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
