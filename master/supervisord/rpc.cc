#include "master/supervisord/rpc.h"

#include "common/text/printable.h"
#include "common/text/terminal.h"
#include "master/supervisord/xml_controls.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <xmlrpc-c/base.hpp>
#include <xmlrpc-c/xml.hpp>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMaxDepth = 32;  // a list of structs needs 11
constexpr std::size_t kMaxElements = 300'000;
constexpr std::size_t kMaxText = 500;  // maximum size of a fault or spawn error in bytes

CallStatus bad(std::string why) {
    return {kCallBadAnswer, "supervisord's answer cannot be used: " + std::move(why)};
}

// Rejects what xmlrpc-c does not check itself: its expat expands entities, and it builds and frees its tree
// recursively before it checks any limit. supervisord's marshaller writes no attributes, declarations,
// comments or CDATA, so these are rejected; the rest can be counted without a parser.
std::optional<std::string> find_hostile(std::string_view xml) {
    std::size_t depth = 0;
    std::size_t elements = 0;
    std::size_t at = 0;
    while ((at = xml.find('<', at)) != std::string_view::npos) {
        const bool instruction = xml.substr(at).starts_with("<?");
        const std::size_t end = instruction ? xml.find("?>", at + 2) : xml.find('>', at);
        if (end == std::string_view::npos)
            return "it ends within a tag";
        const std::string_view tag = xml.substr(at + 1, end - at - 1);
        at = end + 1;
        if (instruction)
            continue;
        for (const char c : tag)
            if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '/' &&
                c != '.' && c != '_' && c != ' ')
                return "it holds XML that is no XML-RPC";
        if (tag.starts_with('/')) {
            depth -= depth > 0 ? 1 : 0;
            continue;
        }
        if (++elements > kMaxElements)
            return "it has more than " + std::to_string(kMaxElements) + " elements";
        if (!tag.ends_with('/') && ++depth > kMaxDepth)
            return "it is nested more than " + std::to_string(kMaxDepth) + " levels deep";
    }
    return std::nullopt;
}

// Calls `use` with the result in `xml`. xmlrpc-c throws on any unexpected content.
CallStatus with_result(const std::string& xml, const std::function<CallStatus(const xmlrpc_c::value&)>& use) {
    if (const auto why = find_hostile(xml))
        return bad(*why);
    try {
        xmlrpc_limit_set(XMLRPC_XML_SIZE_LIMIT_ID, kMaxAnswer);  // the default is 512 KB
        xmlrpc_c::rpcOutcome outcome;
        xmlrpc_c::xml::parseResponse(xml, &outcome);
        if (outcome.succeeded())
            return use(outcome.getResult());
        const int code = outcome.getFault().getCode();
        const std::string text = printable(outcome.getFault().getDescription(), kMaxText);
        if (code <= 0)  // not one of supervisord's; negative numbers are ours
            return bad("fault " + std::to_string(code) + ": " + text);
        return {code, text.empty() ? "fault " + std::to_string(code) + ", without a reason" : text};
    } catch (const std::exception& error) {
        return bad(printable(error.what(), kMaxText));
    }
}

// Returns nullopt when there is no such member, or it has another type.
std::optional<std::int64_t> integer(const xmlrpc_c::cstruct& members, const std::string& name) {
    const auto found = members.find(name);
    if (found == members.end())
        return std::nullopt;
    const xmlrpc_c::value& value = found->second;
    switch (value.type()) {
    case xmlrpc_c::value::TYPE_INT:
        return xmlrpc_c::value_int(value).cvalue();
    case xmlrpc_c::value::TYPE_I8:
        return xmlrpc_c::value_i8(value).cvalue();
    case xmlrpc_c::value::TYPE_BOOLEAN:
        return xmlrpc_c::value_boolean(value).cvalue() ? 1 : 0;
    default:
        return std::nullopt;
    }
}

std::optional<std::string> text(const xmlrpc_c::cstruct& members, const std::string& name) {
    const auto found = members.find(name);
    if (found == members.end() || found->second.type() != xmlrpc_c::value::TYPE_STRING)
        return std::nullopt;
    return xmlrpc_c::value_string(found->second).cvalue();
}

std::string full_name(const std::string& group, const std::string& name) {
    return group == name ? name : group + ":" + name;
}

std::optional<ProgramLine> program_of(const xmlrpc_c::value& value) {
    const xmlrpc_c::cstruct members = xmlrpc_c::value_struct(value).cvalue();
    const auto group = text(members, "group");
    const auto name = text(members, "name");
    const auto state = integer(members, "state");
    const auto pid = integer(members, "pid");
    constexpr auto kMaxInt = std::numeric_limits<int>::max();
    if (!group || !name || name->empty() || !state || *state < 0 || *state > kMaxInt || !pid || *pid < 0 ||
        *pid > kMaxInt)
        return std::nullopt;
    ProgramLine program;
    program.name = full_name(*group, *name);
    program.state = static_cast<int>(*state);
    program.pid = static_cast<pid_t>(*pid);
    program.start = integer(members, "start").value_or(0);
    program.now = integer(members, "now").value_or(0);
    program.exit_status = static_cast<int>(integer(members, "exitstatus").value_or(0));
    program.spawn_error = text(members, "spawnerr").value_or("").substr(0, kMaxText);
    return program;
}

// Returns "" when a name is not UTF-8.
std::string encode(const std::string& method, const std::function<void(xmlrpc_c::paramList&)>& fill) {
    try {
        xmlrpc_c::paramList parameters;
        fill(parameters);
        std::string xml;
        xmlrpc_c::xml::generateCall("supervisor." + method, parameters, &xml);
        return xml;
    } catch (const std::exception&) {
        return {};
    }
}

// Most calls take the name of a program, or nothing; stopProcess and startProcess also take whether to wait,
// which healthcheckd never does.
enum class Wait { not_asked, no };
std::string encode(const std::string& method, const std::string* name = nullptr,
                   Wait wait = Wait::not_asked) {
    return encode(method, [&](xmlrpc_c::paramList& parameters) {
        if (name != nullptr)
            parameters.addc(*name);
        if (wait == Wait::no)
            parameters.addc(false);
    });
}

void take_seconds(const xmlrpc_c::cstruct& members, const std::string& name, std::uint32_t& value) {
    const auto number = integer(members, name);
    if (number && *number >= 0 && *number <= std::numeric_limits<std::int32_t>::max())
        value = static_cast<std::uint32_t>(*number);
}

}  // namespace

CallStatus decode_list(const std::string& xml, std::vector<ProgramLine>& programs) {
    return with_result(xml, [&](const xmlrpc_c::value& result) -> CallStatus {
        std::vector<ProgramLine> found;
        for (const xmlrpc_c::value& entry : xmlrpc_c::value_array(result).vectorValueValue()) {
            auto program = program_of(entry);
            if (!program)
                return bad("a program without name, state or pid");
            found.push_back(std::move(*program));
        }
        programs = std::move(found);
        return {};
    });
}

CallStatus decode_info(const std::string& xml, ProgramLine& program) {
    return with_result(xml, [&](const xmlrpc_c::value& result) -> CallStatus {
        auto found = program_of(result);
        if (!found)
            return bad("a program without name, state or pid");
        program = std::move(*found);
        return {};
    });
}

CallStatus decode_log_paths(const std::string& xml, std::string& stdout_path, std::string& stderr_path) {
    return with_result(xml, [&](const xmlrpc_c::value& result) -> CallStatus {
        const xmlrpc_c::cstruct members = xmlrpc_c::value_struct(result).cvalue();
        stdout_path = text(members, "stdout_logfile").value_or("");
        stderr_path = text(members, "stderr_logfile").value_or("");
        return {};
    });
}

CallStatus decode_settings(const std::string& xml, const std::string& name, SettingsLine& settings) {
    return with_result(xml, [&](const xmlrpc_c::value& result) -> CallStatus {
        for (const xmlrpc_c::value& entry : xmlrpc_c::value_array(result).vectorValueValue()) {
            const xmlrpc_c::cstruct members = xmlrpc_c::value_struct(entry).cvalue();
            if (full_name(text(members, "group").value_or(""), text(members, "name").value_or("")) != name)
                continue;
            take_seconds(members, "startsecs", settings.startsecs);
            take_seconds(members, "stopwaitsecs", settings.stopwaitsecs);
            return {};
        }
        return {kFaultBadName, "supervisord has no settings of '" + printable(name) + "'"};
    });
}

CallStatus decode_pid(const std::string& xml, pid_t& pid) {
    return with_result(xml, [&](const xmlrpc_c::value& result) -> CallStatus {
        const int number = xmlrpc_c::value_int(result).cvalue();
        if (number < 1)
            return bad(std::to_string(number) + " is no pid");
        pid = number;
        return {};
    });
}

CallStatus decode_order(const std::string& xml) {
    return with_result(xml, [](const xmlrpc_c::value& result) -> CallStatus {
        if (result.type() != xmlrpc_c::value::TYPE_BOOLEAN || !xmlrpc_c::value_boolean(result).cvalue())
            return bad("neither true nor a fault");
        return {};
    });
}

CallStatus decode_tail(const std::string& xml, std::string& text) {
    // supervisord copies what the program wrote, including characters that XML forbids (XML 1.0, 2.2).
    const std::string block = private_block(xml);
    return with_result(with_private_controls(xml, block), [&](const xmlrpc_c::value& result) -> CallStatus {
        const auto parts = xmlrpc_c::value_array(result).vectorValueValue();
        if (parts.size() != 3 || parts[0].type() != xmlrpc_c::value::TYPE_STRING)
            return bad("no end of a log");
        text = with_controls(xmlrpc_c::value_string(parts[0]).cvalue(), block);
        text = without_terminal_sequences(text);
        std::ranges::replace_if(text, is_no_xml, '?');
        return {};
    });
}

SupervisorRpc::SupervisorRpc(Endpoint endpoint, const Config& config, OwnerRule rule,
                             SupervisorTransport::Connect connect, std::chrono::milliseconds limit)
    : transport_(std::move(endpoint), config.supervisord_user, config.supervisord_pass, rule,
                 std::move(connect)),
      limit_(limit) {}

CallStatus SupervisorRpc::call(const std::string& xml, std::string& answer) {
    if (xml.empty())
        return {kCallBadAnswer, "the program's name cannot be written as XML"};
    HttpReply reply = transport_.post(xml, limit_);
    denied_ = reply.denied;
    lost_ = reply.lost;
    answer = std::move(reply.body);
    return {reply.code, std::move(reply.message)};
}

CallStatus SupervisorRpc::list(std::vector<ProgramLine>& programs) {
    std::string answer;
    const CallStatus status = call(encode("getAllProcessInfo"), answer);
    return status.ok() ? decode_list(answer, programs) : status;
}

CallStatus SupervisorRpc::pid(pid_t& pid) {
    std::string answer;
    const CallStatus status = call(encode("getPID"), answer);
    return status.ok() ? decode_pid(answer, pid) : status;
}

CallStatus SupervisorRpc::info(const std::string& name, ProgramLine& program) {
    std::string answer;
    const CallStatus status = call(encode("getProcessInfo", &name), answer);
    return status.ok() ? decode_info(answer, program) : status;
}

CallStatus SupervisorRpc::settings(const std::string& name, SettingsLine& settings) {
    std::string answer;
    const CallStatus status = call(encode("getAllConfigInfo"), answer);
    return status.ok() ? decode_settings(answer, name, settings) : status;
}

// supervisord fails for a piece that begins within a UTF-8 character: one of four lengths does not.
CallStatus SupervisorRpc::tail_of(const std::string& method, const std::string& name, std::string& text) {
    CallStatus status;
    for (int length = 2048; length > 2048 - 4; --length) {
        std::string answer;
        status = call(encode(method, [&](auto& parameters) { parameters.addc(name).addc(0).addc(length); }),
                      answer);
        if (status.ok())
            status = decode_tail(answer, text);
        if (status.code != kCallBadAnswer)
            break;
    }
    return status;
}

CallStatus SupervisorRpc::tail(const std::string& name, std::string& stream, std::string& text) {
    stream = "stderr";
    const CallStatus of_stderr = tail_of("tailProcessStderrLog", name, text);
    if (!text.empty() || of_stderr.code == kCallUnreachable || of_stderr.code == kCallTimeout)
        return of_stderr;
    stream = "stdout";
    const CallStatus of_stdout = tail_of("tailProcessStdoutLog", name, text);
    if (!text.empty() || (of_stderr.code != kCallBadAnswer && of_stdout.code != kCallBadAnswer))
        return of_stdout;
    stream = "file";
    std::string answer, stdout_path, stderr_path;
    if (call(encode("getProcessInfo", &name), answer).ok())
        (void)decode_log_paths(answer, stdout_path, stderr_path);
    const bool stderr_fails = of_stderr.code == kCallBadAnswer;
    text = stderr_fails ? stderr_path : stdout_path;
    return stderr_fails ? of_stderr : of_stdout;
}

CallStatus SupervisorRpc::order(const std::string& method, const std::string& name) {
    std::string answer;
    const CallStatus status = call(encode(method, &name, Wait::no), answer);
    return status.ok() ? decode_order(answer) : status;
}

CallStatus SupervisorRpc::stop(const std::string& name) {
    return order("stopProcess", name);
}

CallStatus SupervisorRpc::start(const std::string& name) {
    return order("startProcess", name);
}

}  // namespace healthcheckd::master
