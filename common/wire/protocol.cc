#include "common/wire/protocol.h"

#include <algorithm>

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

std::string_view program_state_name(int state) {
    switch (state) {
    case kStopped:
        return "STOPPED";
    case kStarting:
        return "STARTING";
    case kRunning:
        return "RUNNING";
    case kBackoff:
        return "BACKOFF";
    case kStopping:
        return "STOPPING";
    case kExited:
        return "EXITED";
    case kFatal:
        return "FATAL";
    default:
        return "UNKNOWN";
    }
}

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

LineWriter encode(const Ready& m) {
    LineWriter out("ready");
    out.word("missing", m.missing);
    return out;
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
    if (in.kind() == "ready") {
        Ready m;
        in.word("missing", m.missing);
        out = std::move(m);
        return in.ok();
    }
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

LineWriter encode(const Call& m) {
    LineWriter out("call");
    out.number("seq", m.seq).word("op", m.op).word("name", m.name);
    return out;
}

LineWriter encode(const Peer&) {
    return LineWriter("peer");
}

bool decode(std::string_view line, LinkCommand& out) {
    LineReader in(line);
    if (in.kind() == "peer") {
        out = Peer{};
        return in.ok();
    }
    Call m;
    in.number("seq", m.seq).word("op", m.op).word("name", m.name);
    const bool known = in.kind() == "call";
    out = std::move(m);
    return known && in.ok();
}

LineWriter encode(const ProgramLine& m) {
    LineWriter out("program");
    out.number("seq", m.seq).word("name", m.name).integer("state", m.state).integer("pid", m.pid);
    out.integer("start", m.start).integer("now", m.now);
    out.integer("exit", m.exit_status).message(m.spawn_error);
    return out;
}

LineWriter encode(const SettingsLine& m) {
    LineWriter out("settings");
    out.number("seq", m.seq).number("startsecs", m.startsecs).number("stopwaitsecs", m.stopwaitsecs);
    return out;
}

LineWriter encode(const TextLine& m) {
    LineWriter out("text");
    out.number("seq", m.seq).word("stream", m.stream).message(m.text);
    return out;
}

LineWriter encode(const AnswerLine& m) {
    LineWriter out("answer");
    out.number("seq", m.seq).integer("code", m.code).number("count", m.count).message(m.message);
    return out;
}

bool decode(std::string_view line, LinkLine& out) {
    LineReader in(line);
    if (in.kind() == "program") {
        ProgramLine m;
        int pid = 0;
        in.number("seq", m.seq).word("name", m.name).integer("state", m.state).integer("pid", pid);
        in.integer("start", m.start).integer("now", m.now);
        in.integer("exit", m.exit_status).message(m.spawn_error);
        m.pid = pid;
        out = std::move(m);
        return in.ok() && pid >= 0;
    }
    if (in.kind() == "settings") {
        SettingsLine m;
        in.number("seq", m.seq).number("startsecs", m.startsecs).number("stopwaitsecs", m.stopwaitsecs);
        out = m;
        return in.ok();
    }
    if (in.kind() == "text") {
        TextLine m;
        in.number("seq", m.seq).word("stream", m.stream).message(m.text);
        out = std::move(m);
        return in.ok();
    }
    if (in.kind() == "answer") {
        AnswerLine m;
        in.number("seq", m.seq).integer("code", m.code).number("count", m.count).message(m.message);
        out = std::move(m);
        return in.ok();
    }
    if (in.kind() == "broken")
        return decode(line, out.emplace<Broken>());
    if (in.kind() == "owner") {
        Owner m;
        in.number("uid", m.uid);
        out = m;
        return in.ok();
    }
    if (in.kind() == "supervisor") {
        SupervisorLine m;
        int pid = -1;
        int listener = kNoListener - 1;
        in.number("seq", m.seq).integer("pid", pid).integer("listener", listener);
        m.pid = pid;
        m.listener = listener;
        out = m;
        return in.ok() && pid >= 0 && listener >= kNoListener;
    }
    Ready m;
    in.word("missing", m.missing);
    const bool known = in.kind() == "ready";
    out = std::move(m);
    return known && in.ok();
}

LineWriter encode(const Owner& m) {
    LineWriter out("owner");
    out.number("uid", m.uid);
    return out;
}

LineWriter encode(const SupervisorLine& m) {
    LineWriter out("supervisor");
    out.number("seq", m.seq).integer("pid", m.pid).integer("listener", m.listener);
    return out;
}

LineWriter encode(const Reach& m) {
    LineWriter out("reach");
    out.number("seq", m.seq).number("limit_ms", m.limit_ms);
    return out;
}

bool decode(std::string_view line, Reach& out) {
    LineReader in(line);
    in.number("seq", out.seq).number("limit_ms", out.limit_ms);
    return in.kind() == "reach" && in.ok();
}

LineWriter encode(const Reached& m) {
    LineWriter out("reached");
    out.number("seq", m.seq).integer("error", m.error).number("owner", m.owner);
    out.integer("pid", m.pid).number("believed", m.believed ? 1 : 0).message(m.message);
    return out;
}

bool decode(std::string_view line, Reached& out) {
    LineReader in(line);
    std::uint32_t believed = 0;
    int pid = -1;
    in.number("seq", out.seq).integer("error", out.error).number("owner", out.owner);
    in.integer("pid", pid).number("believed", believed).message(out.message);
    out.pid = pid;
    out.believed = believed == 1;
    return in.kind() == "reached" && in.ok() && pid >= 0 && believed <= 1;
}

std::chrono::seconds told_age(const ProgramLine& program) {
    constexpr std::int64_t kMost = 30LL * 365 * 86'400;
    std::int64_t age = 0;
    if (__builtin_sub_overflow(program.now, program.start, &age))
        return std::chrono::seconds(program.now < program.start ? 0 : kMost);
    return std::chrono::seconds(std::clamp<std::int64_t>(age, 0, kMost));
}

}  // namespace healthcheckd
