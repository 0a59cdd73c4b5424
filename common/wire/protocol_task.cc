#include "common/wire/protocol_task.h"

namespace healthcheckd {

LineWriter encode(const Stage& m) {
    LineWriter out("stage");
    out.number("limit_ms", m.limit_ms).message(m.message);
    return out;
}

LineWriter encode(const Output& m) {
    LineWriter out("output");
    out.message(m.text);
    return out;
}

LineWriter encode(const Done& m) {
    LineWriter out("done");
    out.number("ok", m.ok ? 1 : 0).number("unfinished", m.unfinished ? 1 : 0).message(m.message);
    return out;
}

LineWriter encode(const Spooled& m) {
    LineWriter out("spooled");
    out.number("index", m.index).number("ok", m.ok ? 1 : 0).message(m.message);
    return out;
}

bool decode(std::string_view line, ActionLine& out) {
    LineReader in(line);
    if (in.kind() == "stage") {
        Stage m;
        in.number("limit_ms", m.limit_ms).message(m.message);
        out = std::move(m);
        return in.ok();
    }
    if (in.kind() == "output") {
        Output m;
        in.message(m.text);
        out = std::move(m);
        return in.ok();
    }
    if (in.kind() == "broken")
        return decode(line, out.emplace<Broken>());
    if (in.kind() == "spooled") {
        Spooled m;
        std::uint32_t ok = 2;
        in.number("index", m.index).number("ok", ok).message(m.message);
        m.ok = ok == 1;
        out = std::move(m);
        return in.ok() && ok <= 1;
    }
    Done m;
    std::uint32_t ok = 2;
    std::uint32_t unfinished = 2;
    in.number("ok", ok).number("unfinished", unfinished).message(m.message);
    m.ok = ok == 1;
    m.unfinished = unfinished == 1;
    const bool known = in.kind() == "done" && ok <= 1 && unfinished <= 1;
    out = std::move(m);
    return known && in.ok();
}

LineWriter encode(const Granted&) {
    return LineWriter("granted");
}

LineWriter encode(const Denied&) {
    return LineWriter("denied");
}

bool decode(std::string_view line, ClaimAnswer& out) {
    LineReader in(line);
    const bool granted = in.kind() == "granted";
    out = granted ? ClaimAnswer(Granted{}) : ClaimAnswer(Denied{});
    return (granted || in.kind() == "denied") && in.ok();
}

LineWriter encode(const LockLine& m) {
    LineWriter out("lock");
    out.message(m.message);
    return out;
}

bool decode(std::string_view line, LockLine& out) {
    LineReader in(line);
    in.message(out.message);
    return in.kind() == "lock" && in.ok();
}

}  // namespace healthcheckd
