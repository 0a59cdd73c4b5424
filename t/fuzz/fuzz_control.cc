// A request of healthcheckctl, as anybody who may open the socket can send it: what the decoder accepts, its
// encoder writes again, and the second reading is the same.
#include "common/wire/control.h"
#include "t/fuzz/targets.h"

#include <string>

namespace healthcheckd::fuzz {

int fuzz_control(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    ControlRequest first;
    if (!decode(text, first))
        return 0;
    require(!first.name.empty() || !first.command->names_cats(), "a request that needs a name has one");
    require(first.for_ms <= kLongestPauseMs, "a pause has an end that clocks can say");
    LineWriter writer = encode(first);
    const std::string_view line = writer.line();
    require(!line.empty(), "what was decoded can be encoded");
    require(line.size() <= kMaxLine, "a line is at most PIPE_BUF bytes");
    require(line.find('\n') == line.size() - 1, "a line has one newline, at its end");
    ControlRequest second;
    require(decode(line.substr(0, line.size() - 1), second), "what was encoded can be decoded");
    require(first.command == second.command, "a request stays the same kind of request");
    require(first.name == second.name, "a name stays the same");
    LineWriter again = encode(second);
    require(again.line() == line, "decoding and encoding again changes nothing");
    return 0;
}

}  // namespace healthcheckd::fuzz
