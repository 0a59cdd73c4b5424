// Control characters in supervisord's XML, which quotes what programs wrote. Link.
//
// XML forbids most control characters (XML 1.0, 2.2), and terminal sequences that begin with them can be told
// from tags only after parsing. Until then each is replaced by a private-use character.
#pragma once

#include <string>
#include <string_view>

namespace healthcheckd::master {

// Returns whether `c` is a control character that XML forbids.
bool is_no_xml(char c);

// Returns the first two of three bytes of a block of 64 private-use characters (U+E000 to U+EFFF), none of
// which occurs in `text`; "" when there is no such block.
std::string private_block(std::string_view text);

// Returns `text` with a character of `block` for each control character that XML forbids; with '?' if `block`
// is empty.
std::string with_private_controls(std::string_view text, const std::string& block);

// Reverses with_private_controls().
std::string with_controls(std::string text, const std::string& block);

}  // namespace healthcheckd::master
