#include "master/mailer/text/mail.h"

#include "common/text/mime.h"
#include "common/text/template.h"

#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMostSubject = 500;
constexpr std::size_t kMostBody = 32 * 1024;      // of one notice with a template
constexpr std::size_t kMostDetails = 256 * 1024;  // of a message with several notices

std::string body_of(const MailConfig& mail, const Telling& telling) {
    if (mail.body.empty())
        return details_of(telling);
    std::string body = fill_template(
        mail.body, [&](std::string_view name) { return field_of(telling, name); }, kMostBody);
    if (!body.ends_with('\n'))
        body += '\n';
    return body;
}

std::string body_of(const MailConfig& mail, const std::vector<Telling>& tellings) {
    if (tellings.size() == 1)
        return body_of(mail, tellings.front());
    std::string body = fmt::format("{} notices of {}:\n\n", tellings.size(), tellings.front().notice.host);
    for (const Telling& telling : tellings)
        body += fmt::format("  {}\n", summary_line(telling));
    std::size_t detailed = 0;
    for (const Telling& telling : tellings) {
        const std::string details = body_of(mail, telling);
        if (body.size() + details.size() > kMostDetails)
            break;
        body += '\n' + std::string(72, '-') + '\n' + details;
        ++detailed;
    }
    if (detailed < tellings.size())
        body += fmt::format("\nThe details of {} more are left out; the list above names all.\n",
                            tellings.size() - detailed);
    return body;
}

}  // namespace

MailMessage compose_mail(const MailConfig& mail, const std::vector<Telling>& tellings, std::uint64_t lost) {
    const Telling& first = tellings.front();
    MailMessage message;
    message.sender = bare_address(mail.from);
    for (const std::string& address : mail.to_list)
        if (std::string bare = bare_address(address); !bare.empty())
            message.recipients.push_back(std::move(bare));
    message.message_id = new_message_id(first.notice.host);
    message.subject =
        mail.subject.empty() || tellings.size() > 1
            ? subject_of(tellings)
            : fill_template(
                  mail.subject, [&](std::string_view name) { return field_of(first, name); }, kMostSubject);
    std::string body = body_of(mail, tellings);
    if (lost > 0)
        body += '\n' + loss_sentence(lost);

    message.text = address_header("From", {message.sender}) + address_header("To", message.recipients) +
                   header("Subject", message.subject) + header("Date", mail_date(first.notice.at)) +
                   header("Message-ID", message.message_id) +
                   // Suppresses automatic replies (RFC 3834; the second header is Exchange's).
                   header("Auto-Submitted", "auto-generated") + header("X-Auto-Response-Suppress", "All") +
                   header("MIME-Version", "1.0") + header("Content-Type", "text/plain; charset=utf-8") +
                   header("Content-Transfer-Encoding", "quoted-printable") + "\r\n" + quoted_printable(body);
    return message;
}

}  // namespace healthcheckd::master
