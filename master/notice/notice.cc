#include "master/notice/notice.h"

#include "common/text/json.h"
#include "common/text/json_number.h"
#include "common/text/printable.h"
#include "common/text/time.h"
#include "master/notice/host_facts.h"

#include <algorithm>

namespace healthcheckd::master {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostText = 8192;

// Makes text of several lines safe for JSON, mails and terminals.
std::string clean_lines(std::string_view text, std::size_t max) {
    std::string out;
    text = text.substr(0, max);
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        for (std::size_t tab = 0; tab != std::string_view::npos;) {
            tab = line.find('\t');
            out += printable(line.substr(0, tab), kMostText);
            if (tab != std::string_view::npos) {
                out += '\t';
                line.remove_prefix(tab + 1);
            }
        }
        out += '\n';
    }
    return out;
}

NoticeKind kind_of(const std::string& text) {
    for (const NoticeKind kind : {NoticeKind::failed, NoticeKind::recovered, NoticeKind::unmeasurable})
        if (text == to_string(kind))
            return kind;
    throw std::invalid_argument("unknown event");
}

Notice from_json(const ordered_json& json) {
    Notice notice;
    notice.id = json.at("id");
    notice.run_id = json.at("life");
    notice.channel = json.at("channel");
    notice.kind = kind_of(json.at("event"));
    notice.announce = json.at("announce");
    notice.at = time_of(json.at("atMs"));
    notice.host = json.at("host");
    notice.address = json.at("address");
    notice.platform = json.at("platform");
    notice.program = json.at("program");
    notice.cat = json.at("cat");
    notice.type = json.at("type");
    notice.state = json.at("programState");
    notice.pid = whole_of<pid_t>(json.at("pid"));
    notice.value = json.at("value");
    notice.limit = json.at("limit");
    notice.unit = json.at("unit");
    notice.failures = whole_of<std::uint32_t>(json.at("failures"));
    notice.message = json.at("message");
    const ordered_json& action = json.at("action");
    notice.action = action.at("kind");
    notice.action_ok = action.at("ok");
    notice.action_message = action.at("message");
    notice.output = action.at("output");
    for (const ordered_json& each : json.at("verdicts"))
        notice.verdicts.push_back({time_of(each.at("atMs")), each.at("verdict"), each.at("value"),
                                   each.at("unit"), each.at("message")});
    notice.log.stream = json.at("log").at("stream");
    notice.log.text = json.at("log").at("text");
    notice.log.missing = json.at("log").value("missing", "");
    return notice;
}

}  // namespace

std::string_view to_string(NoticeKind kind) {
    switch (kind) {
    case NoticeKind::failed:
        return "failed";
    case NoticeKind::recovered:
        return "recovered";
    case NoticeKind::unmeasurable:
        return "unmeasurable";
    }
    __builtin_unreachable();
}

Notice make_notice(const Incident& incident, const std::string& channel, LogTail log) {
    const ActionRequest& request = incident.request;
    const Report& evidence = request.evidence;
    Notice notice;
    notice.id = request.notice_id;
    notice.run_id = request.run_id;
    notice.channel = channel;
    notice.kind = incident.kind;
    notice.announce = incident.kind != NoticeKind::recovered || request.cat.send_resolved;
    notice.at = request.at;
    notice.host = printable(host_name());
    notice.address = host_addresses();
    notice.platform = printable(host_platform());
    notice.program = printable(request.program);
    notice.cat = printable(request.cat_name);
    notice.type = to_string(request.cat.type);
    notice.state = printable(request.program_state);
    notice.pid = evidence.process.pid;
    if (incident.kind != NoticeKind::unmeasurable) {
        notice.value = evidence.value;
        notice.limit = evidence.limit;
        notice.unit = printable(evidence.unit);
    }
    notice.failures = incident.kind == NoticeKind::failed ? request.failures : 0;
    notice.message = printable(evidence.message);
    notice.action = to_string(incident.action);
    notice.action_ok = incident.result.ok;
    notice.action_message = printable(incident.result.message);
    notice.output = clean_lines(incident.result.output, kMostText);
    notice.verdicts = request.verdicts;
    for (SeenVerdict& each : notice.verdicts)
        each.message = printable(each.message, 300);
    notice.log = {std::move(log.stream), clean_lines(log.text, kMostText), printable(log.missing, 500)};
    return notice;
}

ordered_json notice_json(const Notice& notice) {
    ordered_json verdicts = ordered_json::array();
    for (const SeenVerdict& each : notice.verdicts)
        verdicts.push_back({{"at", utc_timestamp(each.at)},
                            {"atMs", unix_ms(each.at)},
                            {"verdict", each.verdict},
                            {"value", each.value},
                            {"unit", each.unit},
                            {"message", each.message}});
    return {
        {"id", notice.id},
        {"event", to_string(notice.kind)},
        {"at", utc_timestamp(notice.at)},
        {"atMs", unix_ms(notice.at)},
        {"host", notice.host},
        {"address", notice.address},
        {"platform", notice.platform},
        {"program", notice.program},
        {"cat", notice.cat},
        {"type", notice.type},
        {"programState", notice.state},
        {"pid", notice.pid},
        {"value", notice.value},
        {"limit", notice.limit},
        {"unit", notice.unit},
        {"failures", notice.failures},
        {"message", notice.message},
        {"action",
         {{"kind", notice.action},
          {"ok", notice.action_ok},
          {"message", notice.action_message},
          {"output", notice.output}}},
        {"verdicts", std::move(verdicts)},
        {"log", {{"stream", notice.log.stream}, {"text", notice.log.text}, {"missing", notice.log.missing}}}};
}

std::string encode_notice(const Notice& notice) {
    ordered_json json = notice_json(notice);
    json["life"] = notice.run_id;
    json["channel"] = notice.channel;
    json["announce"] = notice.announce;
    return json_text(json, 1) + '\n';
}

Result<Notice> decode_notice(std::string_view text) {
    try {
        return from_json(ordered_json::parse(text));
    } catch (const std::exception& failure) {
        return Error{"is no notice: " + printable(failure.what(), 200)};
    }
}

}  // namespace healthcheckd::master
