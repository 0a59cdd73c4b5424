#include "master/mailer/text/notice_text.h"

#include "common/text/number.h"
#include "common/text/time.h"

#include <algorithm>
#include <array>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

std::string_view event_words(NoticeKind kind) {
    switch (kind) {
    case NoticeKind::failed:
        return "failed";
    case NoticeKind::recovered:
        return "recovered";
    case NoticeKind::unmeasurable:
        return "could not be measured";
    }
    __builtin_unreachable();
}

std::string check_words(const Telling& telling) {
    const Notice& notice = telling.notice;
    return fmt::format("{} {} check {}{}", notice.program, notice.type, event_words(notice.kind),
                       telling.reminder ? " (reminder)" : "");
}

std::string action_words(const Notice& notice) {
    if (notice.action == "none")
        return "";
    return notice.action + (notice.action_ok ? " succeeded" : " FAILED");
}

std::string first_sentence(const Notice& notice) {
    const std::string what = fmt::format("{}'s {} check {}", notice.program, notice.type, notice.cat);
    switch (notice.kind) {
    case NoticeKind::failed:
        return fmt::format("{} failed on {}.", what, notice.host);
    case NoticeKind::recovered:
        return fmt::format("{} recovered: it succeeds again on {}.", what, notice.host);
    case NoticeKind::unmeasurable:
        return fmt::format(
            "{} could not be measured on {}: nothing is known about the program, nothing was done.", what,
            notice.host);
    }
    __builtin_unreachable();
}

std::string quantity(double value, const std::string& unit) {
    return unit.empty() ? "" : number_text(value) + ' ' + unit;
}

void line(std::string& body, std::string_view label, std::string_view value) {
    if (!value.empty())
        body += fmt::format("{:<12}{}\n", label, value);
}

// Indents text from outside, so that it cannot be mistaken for a line of the message itself.
std::string indented(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        out += fmt::format("    {}\n", text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::string verdict_lines(const Notice& notice) {
    std::string out;
    for (const SeenVerdict& each : notice.verdicts)
        out += fmt::format("{}  {}  {}\n", local_time(each.at), each.verdict, each.message);
    return out;
}

}  // namespace

std::string subject_of(const std::vector<Telling>& tellings) {
    if (tellings.empty())
        return "";
    const std::string begin = "[healthcheckd] " + tellings.front().notice.host + ": ";
    if (tellings.size() == 1)
        return begin + check_words(tellings.front());
    std::string counts;
    for (const NoticeKind kind : {NoticeKind::failed, NoticeKind::unmeasurable, NoticeKind::recovered}) {
        const auto count =
            std::ranges::count(tellings, kind, [](const Telling& each) { return each.notice.kind; });
        if (count == 0)
            continue;
        counts += counts.empty()
                      ? fmt::format("{} {} {}", count, count == 1 ? "check" : "checks", event_words(kind))
                      : fmt::format(", {} {}", count, event_words(kind));
    }
    return begin + counts;
}

std::string summary_line(const Telling& telling) {
    const Notice& notice = telling.notice;
    const std::string action = action_words(notice);
    return fmt::format("{} ({}): {}{}{}", check_words(telling), notice.cat, notice.message,
                       action.empty() ? "" : "; ", action);
}

std::string details_of(const Telling& telling) {
    const Notice& notice = telling.notice;
    std::string body = first_sentence(notice) + "\n\n";
    line(body, "Time", local_time(notice.at));
    line(body, "Program", notice.program);
    line(body, "Cat", notice.cat);
    line(body, "Type", notice.type);
    line(body, "Host name", notice.host);
    line(body, "Address", notice.address);
    line(body, "Platform", notice.platform);
    line(body, "State", notice.state);
    line(body, "Process", notice.pid > 0 ? "pid " + std::to_string(notice.pid) : "");
    line(body, "Value", quantity(notice.value, notice.unit));
    line(body, "Limit", quantity(notice.limit, notice.unit));
    if (notice.kind == NoticeKind::failed) {
        line(body, "Failures", std::to_string(notice.failures));
        line(body, "Action", notice.action == "none" ? "none but this notice" : notice.action);
        if (notice.action != "none")
            line(body, "Result", (notice.action_ok ? "succeeded: " : "FAILED: ") + notice.action_message);
    }
    line(body, "Message", notice.message);
    if (telling.reminder)
        line(body, "Reminder",
             fmt::format("told first at {}; {} firings since the last notice", local_time(telling.first),
                         telling.repeats + 1));
    if (!notice.verdicts.empty())
        body += "\nThe last verdicts:\n" + indented(verdict_lines(notice));
    if (!notice.output.empty())
        body += "\nOutput of the command:\n" + indented(notice.output);
    if (!notice.log.text.empty() && notice.log.missing.empty())
        body += fmt::format("\nThe end of the program's {} log, from supervisord (at most 2 KiB):\n{}",
                            notice.log.stream, indented(notice.log.text));
    else if (!notice.log.text.empty())
        body += fmt::format("\nThe end of the program's log, from its file (at most 2 KiB), as {}:\n{}",
                            notice.log.missing, indented(notice.log.text));
    else if (!notice.log.missing.empty())
        body += fmt::format("\nThe end of the program's log is missing: {}.\n", notice.log.missing);
    return body;
}

std::string field_of(const Telling& telling, std::string_view name) {
    const Notice& notice = telling.notice;
    const std::array<std::pair<std::string_view, std::string>, 19> fields{{
        {"event", std::string(event_words(notice.kind))},
        {"time", local_time(notice.at)},
        {"program", notice.program},
        {"cat", notice.cat},
        {"type", notice.type},
        {"host", notice.host},
        {"address", notice.address},
        {"platform", notice.platform},
        {"state", notice.state},
        {"pid", notice.pid > 0 ? std::to_string(notice.pid) : ""},
        {"value", notice.unit.empty() ? "" : number_text(notice.value)},
        {"limit", notice.unit.empty() ? "" : number_text(notice.limit)},
        {"unit", notice.unit},
        {"failures", std::to_string(notice.failures)},
        {"action", notice.action},
        {"result", notice.action_message},
        {"output", notice.output},
        {"message", notice.message},
        {"log", notice.log.text},
    }};
    for (const auto& [field, value] : fields)
        if (field == name)
            return value;
    return name == "verdicts" ? verdict_lines(notice) : name == "details" ? details_of(telling) : "";
}

std::string loss_sentence(std::uint64_t lost) {
    if (lost == 0)
        return "";
    return fmt::format("{} earlier {} lost: the spool was full or could not be written. healthcheckd's log "
                       "has each of them.\n",
                       lost, lost == 1 ? "notice was" : "notices were");
}

}  // namespace healthcheckd::master
