// Any line between processes: what a decoder accepts, its encoder writes again, and the second reading is the
// same.
#include "common/text/printable.h"
#include "common/wire/protocol_mailer.h"
#include "common/wire/protocol_nursery.h"
#include "common/wire/protocol_reader.h"
#include "common/wire/protocol_supervisord.h"
#include "common/wire/protocol_task.h"
#include "common/wire/protocol_worker.h"
#include "t/fuzz/targets.h"

#include <string>

namespace healthcheckd::fuzz {

namespace {

// The line for any message of a variant, without its newline; empty when it does not fit.
template <class Line> std::string encoded(const Line& message) {
    return std::visit(
        [](const auto& one) {
            LineWriter writer = encode(one);
            std::string line(writer.line());
            require(line.size() <= kMaxLine, "a line is at most PIPE_BUF bytes");
            require(line.empty() || line.find('\n') == line.size() - 1, "a line has one newline, at its end");
            if (!line.empty())
                line.pop_back();
            return line;
        },
        message);
}

template <class Line> void check(std::string_view text) {
    Line first;
    if (!decode(text, first))
        return;
    const std::string once = encoded(first);
    // A number may grow by some bytes when it is written again ("1e8"), nothing else does.
    require(!once.empty() || text.size() > kMaxLine - 64, "what was decoded can be encoded");
    if (once.empty())
        return;
    Line second;
    require(decode(once, second), "what was encoded can be decoded");
    require(first.index() == second.index(), "a message stays the same kind of message");
    require(encoded(second) == once, "decoding and encoding again changes nothing");
}

}  // namespace

int fuzz_protocol(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check<Command>(text);
    check<WorkerLine>(text);
    check<LinkCommand>(text);
    check<LinkLine>(text);
    check<ActionLine>(text);
    check<ClaimAnswer>(text);
    check<MailerCommand>(text);
    check<MailerLine>(text);
    check<ReaderCommand>(text);
    check<ReaderLine>(text);
    check<NurseryCommand>(text);
    check<NurseryAnswer>(text);
    const std::string shown = printable(text);
    require(shown.size() <= 1000 + 3 + 4, "printable text is bounded");
    for (const char c : shown)
        require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "printable text has no control bytes");
    require(printable(shown, shown.size()) == shown, "printable text is printable");
    return 0;
}

}  // namespace healthcheckd::fuzz
