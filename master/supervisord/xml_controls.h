// Control characters in what calls itself XML: supervisord writes into it what a program wrote. Link.
//
// XML may hold only some of them (XML 1.0, 2.2), and the sequences of a terminal that they begin can be told
// from the tags around them only once it is parsed. Until then each of them is a character for private use.
#pragma once

#include <string>
#include <string_view>

namespace healthcheckd::master {

// A control character that XML may not hold?
bool is_no_xml(char c);

// The first two of the three bytes of 64 characters for private use (U+E000 to U+EFFF), none of which is in
// `text`; empty when each has one that is.
std::string private_block(std::string_view text);

// `text` with a character of `block` for each control character that XML may not hold; '?' if it is empty.
std::string with_private_controls(std::string_view text, const std::string& block);

// The other way round.
std::string with_controls(std::string text, const std::string& block);

}  // namespace healthcheckd::master
