// Removing terminal sequences, which set colours or move the cursor, from text. Every process.
#pragma once

#include <string>
#include <string_view>

namespace healthcheckd {

// Returns `text` without control sequences (ECMA-48, 5.4: ESC [ ... ), operating system commands (ESC ] ... )
// and other escape sequences. Other control characters remain.
std::string without_terminal_sequences(std::string_view text);

}  // namespace healthcheckd
