#include "common/wire/protocol_worker.h"

namespace healthcheckd {

namespace {

void read_process(LineReader& in, ProcessId& process) {
    int pid = -1;
    in.integer("pid", pid).number("start", process.start_ticks);
    process.pid = pid;
}

LineWriter& write_process(LineWriter& out, const ProcessId& process) {
    return out.integer("pid", process.pid).number("start", process.start_ticks);
}

// The master never watches pid 1, and kill(2) takes a negative pid for a process group.
bool plausible(const ProcessId& process) {
    return process.pid == 0 || process.pid > 1;
}

constexpr std::int64_t kMostUsers = 4'294'967'295;

}  // namespace

LineWriter encode(const Track& m) {
    LineWriter out("track");
    write_process(out, m.process);
    return out;
}

LineWriter encode(const ProbeCommand& m) {
    LineWriter out("probe");
    out.number("seq", m.seq);
    write_process(out, m.process)
        .number("restarts", m.restarts)
        .integer("user", m.user)
        .word("state", m.state);
    return out;
}

LineWriter encode(const NewLog&) {
    return LineWriter("log");
}

bool decode(std::string_view line, Command& out) {
    LineReader in(line);
    if (in.kind() == "track") {
        Track m;
        read_process(in, m.process);
        out = m;
        return in.ok() && plausible(m.process);
    }
    if (in.kind() == "probe") {
        ProbeCommand m;
        in.number("seq", m.seq);
        read_process(in, m.process);
        in.number("restarts", m.restarts).integer("user", m.user).word("state", m.state);
        const bool sane = plausible(m.process) && m.user >= kNoUser && m.user < kMostUsers;
        out = std::move(m);
        return in.ok() && sane;
    }
    out = NewLog{};
    return in.kind() == "log" && in.ok();
}

LineWriter encode(const Report& m) {
    LineWriter out(to_string(m.verdict));
    out.number("seq", m.seq).real("value", m.value).real("limit", m.limit).word("unit", m.unit);
    out.number("took_us", m.took_us);
    write_process(out, m.process).number("weight", m.weight).message(m.message);
    return out;
}

LineWriter encode(const OpenRequest& m) {
    LineWriter out("open");
    write_process(out, m.process);
    return out;
}

LineWriter encode(const RotateRequest&) {
    return LineWriter("rotate");
}

LineWriter encode(const Unlogged& m) {
    LineWriter out("unlogged");
    out.message(m.message);
    return out;
}

bool decode(std::string_view line, WorkerLine& out) {
    LineReader in(line);
    if (const auto verdict = verdict_from(in.kind())) {
        Report m;
        m.verdict = *verdict;
        in.number("seq", m.seq).real("value", m.value).real("limit", m.limit).word("unit", m.unit);
        in.number("took_us", m.took_us);
        read_process(in, m.process);
        in.number("weight", m.weight).message(m.message);
        const bool sane = plausible(m.process) && m.weight >= 1;
        out = std::move(m);
        return in.ok() && sane;
    }
    if (in.kind() == "ready")
        return decode(line, out.emplace<Ready>());
    if (in.kind() == "open") {
        OpenRequest m;
        read_process(in, m.process);
        out = m;
        return in.ok() && m.process.pid > 1;
    }
    if (in.kind() == "rotate") {
        out = RotateRequest{};
        return in.ok();
    }
    if (in.kind() == "unlogged") {
        Unlogged m;
        in.message(m.message);
        out = std::move(m);
        return in.ok();
    }
    return decode(line, out.emplace<Broken>());
}

}  // namespace healthcheckd
