// The lines between the master and the nursery. Both.
#include "common/text/concat.h"
#include "common/wire/protocol.h"

#include <charconv>

namespace healthcheckd {

namespace {

// Calls `each` for every item of a list separated by `separator`; an empty list has none. Returns false when it does.
template <class Each> bool for_items(std::string_view list, char separator, const Each& each) {
    while (!list.empty()) {
        const std::size_t end = list.find(separator);
        if (!each(list.substr(0, end)))
            return false;
        if (end == std::string_view::npos)
            return true;
        list.remove_prefix(end + 1);
        if (list.empty())
            return false;
    }
    return true;
}

template <class Number> bool parse(std::string_view text, Number& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

bool parse(std::string_view text, WorkerOrder::Left& out) {
    int field = 0;
    const bool parsed = for_items(text, ':', [&](std::string_view part) {
        switch (field++) {
        case 0:
            return parse(part, out.pid);
        case 1:
            return parse(part, out.until_ns);
        case 2:
            out.sought = part == "1";
            return out.sought || part == "0";
        default:
            return false;
        }
    });
    return parsed && field == 3;
}

}  // namespace

LineWriter encode(const Configure&) {
    return LineWriter("configure");
}

LineWriter encode(const WorkerOrder& m) {
    std::string left;
    for (const WorkerOrder::Left& each : m.left)
        append_all(left, left.empty() ? "" : ",", std::to_string(each.pid), ":",
                   std::to_string(each.until_ns), ":", each.sought ? "1" : "0");
    LineWriter out("order");
    out.number("index", m.index)
        .word("name", m.name)
        .word("program", m.program)
        .word("title", m.title)
        .number("logs", m.logs ? 1 : 0)
        .number("uid", m.uid)
        .number("gid", m.gid)
        .number("single", m.single ? 1 : 0)
        .word("missing", m.missing)
        .word("left", left);
    return out;
}

LineWriter encode(const ForkAll&) {
    return LineWriter("fork");
}

bool decode(std::string_view line, NurseryCommand& out) {
    LineReader in(line);
    if (in.kind() == "configure") {
        out = Configure{};
        return in.ok();
    }
    if (in.kind() == "fork") {
        out = ForkAll{};
        return in.ok();
    }
    WorkerOrder m;
    std::uint32_t logs = 2, single = 2;
    std::string left;
    in.number("index", m.index)
        .word("name", m.name)
        .word("program", m.program)
        .word("title", m.title)
        .number("logs", logs)
        .number("uid", m.uid)
        .number("gid", m.gid)
        .number("single", single)
        .word("missing", m.missing)
        .word("left", left);
    const bool listed =
        for_items(left, ',', [&m](std::string_view item) { return parse(item, m.left.emplace_back()); });
    m.logs = logs == 1;
    m.single = single == 1;
    const bool known = in.kind() == "order" && in.ok() && listed && logs <= 1 && single <= 1;
    out = std::move(m);
    return known;
}

LineWriter encode(const Configured&) {
    return LineWriter("configured");
}

LineWriter encode(const ForkedWorkers& m) {
    std::string pids;
    for (const pid_t pid : m.pids)
        append_all(pids, pids.empty() ? "" : ",", std::to_string(pid));
    LineWriter out("forked");
    out.word("pids", pids);
    return out;
}

bool decode(std::string_view line, NurseryAnswer& out) {
    LineReader in(line);
    if (in.kind() == "broken")
        return decode(line, out.emplace<Broken>());
    if (in.kind() == "configured") {
        out = Configured{};
        return in.ok();
    }
    ForkedWorkers m;
    std::string pids;
    in.word("pids", pids);
    const bool listed =
        for_items(pids, ',', [&m](std::string_view item) { return parse(item, m.pids.emplace_back()); });
    out = std::move(m);
    return in.kind() == "forked" && in.ok() && listed;
}

}  // namespace healthcheckd
