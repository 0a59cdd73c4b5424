// Text as a terminal would show it: without the sequences that colour it or move the cursor. Every process.
#pragma once

#include <string>
#include <string_view>

namespace healthcheckd {

// `text` without control sequences (ECMA-48, 5.4: ESC [ ... ), operating system commands (ESC ] ... ) and
// other escape sequences. Other control characters stay.
std::string without_terminal_sequences(std::string_view text);

}  // namespace healthcheckd
