#include "master/mail.h"

#include "common/line_codec.h"
#include "common/number_text.h"
#include "master/host_facts.h"
#include "master/mime.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace healthcheckd::master {

namespace {

// "gateway failed on HOST" in a mail's own words.
std::string_view state_words(MailKind kind) {
    switch (kind) {
    case MailKind::failed:
        return "failed";
    case MailKind::resolved:
        return "resolved";
    case MailKind::unknown:
        return "cannot be checked";
    }
    return "failed";
}

std::string first_sentence(const MailEvent& event, const std::string& host) {
    const ActionRequest& request = event.request;
    std::string what = printable(request.program) + "'s " + std::string(to_string(request.cat.type)) +
                       " check " + printable(request.cat_name);
    switch (event.kind) {
    case MailKind::failed:
        return what + " failed on " + host + ".";
    case MailKind::resolved:
        return what + " succeeds again on " + host + ".";
    case MailKind::unknown:
        return what + " gives no result on " + host +
               ": nothing is known about the program, nothing was done.";
    }
    return what;
}

std::string local_time(std::chrono::system_clock::time_point at) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
    std::tm local{};
    ::localtime_r(&seconds, &local);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %z", &local);
    return text.data();
}

void line(std::string& body, std::string_view label, std::string_view value) {
    constexpr std::size_t kColumn = 12;
    body += label;
    body.append(kColumn - std::min(kColumn - 1, label.size()), ' ');
    body += printable(value);
    body += '\n';
}

// The output of a command, line by line and indented, so that none passes for a line of the mail itself.
void quoted_output(std::string& body, std::string_view output) {
    body += "\nOutput of the command:\n";
    while (!output.empty()) {
        const std::size_t end = std::min(output.find('\n'), output.size());
        std::string_view text = output.substr(0, end);
        if (text.ends_with('\r'))
            text.remove_suffix(1);
        body += "    " + printable(text, 4096) + "\n";
        output.remove_prefix(std::min(end + 1, output.size()));
    }
}

std::string body_of(const MailEvent& event, const std::string& host) {
    const ActionRequest& request = event.request;
    const Report& evidence = request.evidence;
    std::string body = first_sentence(event, host) + "\n\n";
    line(body, "Time", local_time(request.at));
    line(body, "Program", request.program);
    line(body, "Cat", request.cat_name);
    line(body, "Type", to_string(request.cat.type));
    line(body, "Host name", host);
    line(body, "Address", host_addresses());
    line(body, "Platform", host_platform());
    if (!request.program_state.empty())
        line(body, "State", request.program_state);
    if (evidence.process.running())
        line(body, "Process", "pid " + std::to_string(evidence.process.pid));
    if (event.kind != MailKind::unknown && !evidence.unit.empty()) {
        line(body, "Value", number_text(evidence.value) + " " + evidence.unit);
        line(body, "Limit", number_text(evidence.limit) + " " + evidence.unit);
    }
    if (event.kind == MailKind::failed) {
        line(body, "Failures", std::to_string(request.failures));
        line(body, "Action",
             event.action == MainAction::none ? "none but this mail" : to_string(event.action));
        if (event.action != MainAction::none)
            line(body, "Result", (event.result.ok ? "succeeded: " : "FAILED: ") + event.result.message);
    }
    line(body, "Message", evidence.message);
    if (event.kind == MailKind::failed && !event.result.output.empty())
        quoted_output(body, event.result.output);
    return body;
}

}  // namespace

MailMessage compose_mail(const MailConfig& mail, const MailEvent& event) {
    const ActionRequest& request = event.request;
    const std::string host = printable(host_name());
    MailMessage message;
    message.sender = bare_address(mail.from);
    for (const std::string& address : mail.to_list)
        if (std::string bare = bare_address(address); !bare.empty())
            message.recipients.push_back(std::move(bare));
    message.message_id = new_message_id(host);

    message.text = address_header("From", {message.sender}) + address_header("To", message.recipients) +
                   header("Subject", "[healthcheckd] " + request.program + " (" + request.cat_name + " " +
                                         std::string(to_string(request.cat.type)) + ") " +
                                         std::string(state_words(event.kind)) + " on " + host) +
                   header("Date", mail_date(request.at)) + header("Message-ID", message.message_id) +
                   // No vacation note or other robot may answer (RFC 3834; the second is Exchange's).
                   header("Auto-Submitted", "auto-generated") + header("X-Auto-Response-Suppress", "All") +
                   header("MIME-Version", "1.0") + header("Content-Type", "text/plain; charset=utf-8") +
                   header("Content-Transfer-Encoding", "quoted-printable") + "\r\n" +
                   quoted_printable(body_of(event, host));
    return message;
}

}  // namespace healthcheckd::master
