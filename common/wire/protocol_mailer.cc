#include "common/wire/protocol_mailer.h"

namespace healthcheckd {

LineWriter encode(const Look&) {
    return LineWriter("look");
}

LineWriter encode(const Lost& m) {
    LineWriter out("lost");
    out.number("count", m.count);
    return out;
}

bool decode(std::string_view line, MailerCommand& out) {
    LineReader in(line);
    if (in.kind() == "look") {
        out = Look{};
        return in.ok();
    }
    Lost m;
    in.number("count", m.count);
    out = m;
    return in.kind() == "lost" && in.ok();
}

LineWriter encode(const Say& m) {
    LineWriter out("say");
    out.word("level", m.level).word("who", m.who).message(m.text);
    return out;
}

LineWriter encode(const Mails& m) {
    LineWriter out("mails");
    out.number("queued", m.queued).number("sent", m.sent).number("failed", m.failed).message(m.refusal);
    return out;
}

LineWriter encode(const StillFailed& m) {
    LineWriter out("failed");
    out.word("cat", m.cat);
    return out;
}

bool decode(std::string_view line, MailerLine& out) {
    LineReader in(line);
    if (in.kind() == "say") {
        Say m;
        in.word("level", m.level).word("who", m.who).message(m.text);
        const bool known = m.level == "info" || m.level == "warning" || m.level == "error";
        out = std::move(m);
        return in.ok() && known;
    }
    if (in.kind() == "mails") {
        Mails m;
        in.number("queued", m.queued).number("sent", m.sent).number("failed", m.failed).message(m.refusal);
        out = std::move(m);
        return in.ok();
    }
    if (in.kind() == "failed") {
        StillFailed m;
        in.word("cat", m.cat);
        out = std::move(m);
        return in.ok();
    }
    if (in.kind() == "ready")
        return decode(line, out.emplace<Ready>());
    return decode(line, out.emplace<Broken>());
}

}  // namespace healthcheckd
