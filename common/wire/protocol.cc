#include "common/wire/protocol.h"

namespace healthcheckd {

LineWriter encode(const Ready& m) {
    LineWriter out("ready");
    out.word("missing", m.missing);
    return out;
}

bool decode(std::string_view line, Ready& out) {
    LineReader in(line);
    in.word("missing", out.missing);
    return in.kind() == "ready" && in.ok();
}

LineWriter encode(const Broken& m) {
    LineWriter out("broken");
    out.message(m.message);
    return out;
}

bool decode(std::string_view line, Broken& out) {
    LineReader in(line);
    in.message(out.message);
    return in.kind() == "broken" && in.ok();
}

bool decode(std::string_view line, ChildLine& out) {
    if (LineReader(line).kind() == "ready")
        return decode(line, out.emplace<Ready>());
    return decode(line, out.emplace<Broken>());
}

}  // namespace healthcheckd
