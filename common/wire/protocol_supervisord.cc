#include "common/wire/protocol_supervisord.h"

#include <algorithm>

namespace healthcheckd {

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
    return decode(line, out.emplace<Ready>());
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
