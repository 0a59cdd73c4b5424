#include "common/wire/protocol_reader.h"

#include <limits>

namespace healthcheckd {

LineWriter encode(const Identify& m) {
    LineWriter out("identify");
    out.number("seq", m.seq).integer("pid", m.pid);
    return out;
}

LineWriter encode(const Measure& m) {
    LineWriter out("measure");
    out.number("seq", m.seq).integer("pid", m.process.pid).number("start", m.process.start_ticks);
    out.word("file", m.file);
    return out;
}

LineWriter encode(const Holds& m) {
    LineWriter out("holds");
    out.number("seq", m.seq).integer("pid", m.pid).number("port", m.port);
    return out;
}

bool decode(std::string_view line, ReaderCommand& out) {
    LineReader in(line);
    int pid = 0;
    if (in.kind() == "holds") {
        Holds m;
        std::uint32_t port = 0;
        in.number("seq", m.seq).integer("pid", pid).number("port", port);
        m.pid = pid;
        m.port = static_cast<std::uint16_t>(port);
        out = m;
        return in.ok() && pid > 0 && port > 0 && port <= std::numeric_limits<std::uint16_t>::max();
    }
    if (in.kind() == "identify") {
        Identify m;
        in.number("seq", m.seq).integer("pid", pid);
        m.pid = pid;
        out = m;
        return in.ok() && pid > 0;
    }
    Measure m;
    in.number("seq", m.seq).integer("pid", pid).number("start", m.process.start_ticks).word("file", m.file);
    m.process.pid = pid;
    const bool known =
        in.kind() == "measure" && (m.file == "stat" || m.file == "statm" || m.file == "smaps_rollup");
    out = std::move(m);
    return known && in.ok() && pid > 0;
}

LineWriter encode(const ProcessLine& m) {
    LineWriter out("process");
    out.number("seq", m.seq).number("start", m.start_ticks).integer("ppid", m.ppid);
    out.integer("inner", m.inner);
    return out;
}

LineWriter encode(const Measured& m) {
    LineWriter out("measured");
    out.number("seq", m.seq);
    return out;
}

LineWriter encode(const Held& m) {
    LineWriter out("held");
    out.number("seq", m.seq).number("yes", m.yes ? 1 : 0);
    return out;
}

LineWriter encode(const Refused& m) {
    LineWriter out("refused");
    out.number("seq", m.seq).integer("error", m.error).message(m.message);
    return out;
}

bool decode(std::string_view line, ReaderLine& out) {
    LineReader in(line);
    if (in.kind() == "process") {
        ProcessLine m;
        int ppid = -1;
        int inner = -1;
        in.number("seq", m.seq).number("start", m.start_ticks).integer("ppid", ppid).integer("inner", inner);
        m.ppid = ppid;
        m.inner = inner;
        out = m;
        return in.ok() && ppid >= 0 && inner >= 0;
    }
    if (in.kind() == "measured") {
        Measured m;
        in.number("seq", m.seq);
        out = m;
        return in.ok();
    }
    if (in.kind() == "held") {
        Held m;
        std::uint32_t yes = 2;
        in.number("seq", m.seq).number("yes", yes);
        m.yes = yes == 1;
        out = m;
        return in.ok() && yes <= 1;
    }
    Refused m;
    in.number("seq", m.seq).integer("error", m.error).message(m.message);
    const bool known = in.kind() == "refused";
    out = std::move(m);
    return known && in.ok();
}

}  // namespace healthcheckd
