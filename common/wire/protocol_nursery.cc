#include "common/wire/protocol_nursery.h"

#include "common/text/concat.h"
#include "common/text/split.h"

#include <algorithm>
#include <charconv>

namespace healthcheckd {

namespace {

template <class Number> bool parse(std::string_view text, Number& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

bool parse(std::string_view text, WorkerOrder::Left& out) {
    const auto parts = split(text, ':');
    if (parts.size() != 3 || (parts[2] != "0" && parts[2] != "1"))
        return false;
    out.sought = parts[2] == "1";
    return parse(parts[0], out.pid) && parse(parts[1], out.until_ns);
}

// An empty text is a list without items.
template <class Item> bool parse(std::string_view text, std::vector<Item>& out) {
    if (text.empty())
        return true;
    return std::ranges::all_of(split(text, ','),
                               [&out](std::string_view item) { return parse(item, out.emplace_back()); });
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
    const bool listed = parse(left, m.left);
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
    const bool listed = parse(pids, m.pids);
    out = std::move(m);
    return in.kind() == "forked" && in.ok() && listed;
}

}  // namespace healthcheckd
