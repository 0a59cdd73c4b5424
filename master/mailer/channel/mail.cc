// The channel kind mail: its keys, the rules between them, and composing messages.
#include "master/mailer/text/mail.h"
#include "common/config/accessors.h"
#include "common/config/channels.h"
#include "common/config/draft.h"
#include "common/net/tls_client.h"
#include "common/text/printable.h"
#include "common/text/template.h"
#include "master/mailer/delivery/delivery.h"
#include "master/mailer/spool_message.h"

#include <spdlog/fmt/ranges.h>

namespace healthcheckd {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostHosts = 10;
constexpr std::size_t kMostAddresses = 100;

// At most an hour.
Result<void> set_digest(const KeyTarget& target, std::string_view text) {
    return store<&NoticeLimits::digest>(target, parse_seconds(text, 0ms, 1h));
}

Result<void> check_subject(std::string_view text) {
    const Result<void> line = check_line(text, 500);
    return line ? check_template(text) : line;
}
Result<void> check_body(std::string_view text) {
    const Result<void> script = check_script(text, 16 * 1024);
    return script ? check_template(text) : script;
}

using M = MailConfig;
using N = NoticeLimits;

// clang-format off
constexpr Key kMailKeys[] = {
    {.name = "host", .shape = Shape::list, .required = true,
     .set = set_texts<&M::hosts, parse_host, kMostHosts>, .get = get_texts<&M::hosts>},
    {.name = "port",
     .set = set_whole<&M::port, 1, 65535>, .get = get_whole<&M::port>},
    {.name = "user",
     .set = set_text<&M::user, line_of<255>>, .get = get_text<&M::user>},
    {.name = "pass", .sensitivity = Sensitivity::password,
     .set = set_secret<&M::pass, line_of<1024>>, .get = get_secret<&M::pass>},
    {.name = "to_list", .shape = Shape::list, .required = true,
     .set = set_texts<&M::to_list, entry_address, kMostAddresses>, .get = get_texts<&M::to_list>},
    {.name = "from", .canonical = entry_address,
     .set = set_text<&M::from, check_address>, .get = get_text<&M::from>},
    {.name = "helo",
     .set = set_text<&M::helo, check_helo>, .get = get_text<&M::helo>},
    {.name = "tls",
     .set = set_choice<&M::tls, MailTls::implicit, MailTls::starttls, MailTls::opportunistic, MailTls::none>, .get = get_choice<&M::tls>},
    {.name = "verify",
     .set = set_flag<&M::verify>, .get = get_flag<&M::verify>},
    {.name = "caFile",
     .set = set_text<&M::ca_file, check_absolute_path>, .get = get_text<&M::ca_file>},
    {.name = "reminderSeconds",
     .set = set_seconds<&N::reminder, 0>, .get = get_seconds<&N::reminder>},
    {.name = "digestSeconds",
     .set = set_digest, .get = get_seconds<&N::digest>},
    {.name = "maxPerHour",
     .set = set_whole<&N::most_per_hour, 1, 3600>, .get = get_whole<&N::most_per_hour>},
    {.name = "subject",
     .set = set_text<&M::subject, check_subject>, .get = get_text<&M::subject>},
    {.name = "body",
     .set = set_text<&M::body, check_body>, .get = get_text<&M::body>},
};

// clang-format on

void finish_mail(const SectionDraft& draft, ChannelConfig& channel, Diagnostics& diagnostics) {
    auto& mail = channel.own<MailConfig>();
    draft.require("host", diagnostics);
    draft.require("to_list", diagnostics);
    // Other ports default to implicit TLS, as 465 does: nothing is sent unencrypted unless the file says so.
    if (!draft.has("tls"))
        mail.tls = mail.port == 587  ? MailTls::starttls
                   : mail.port == 25 ? MailTls::opportunistic
                                     : MailTls::implicit;
    if (draft.has("pass") && !draft.has("user"))
        diagnostics.warning(draft.place_of("pass"), draft.path_of("pass"),
                            "has no effect: without user there is no login");
    if (draft.has("from") || draft.invalid("user"))
        return;
    if (!draft.has("user"))
        diagnostics.error(draft.place, draft.path_of("from"),
                          "is missing: give the sender's address, or user, from which it is taken");
    else if (!check_address(mail.user))
        diagnostics.error(draft.place_of("user"), draft.path_of("from"),
                          "is missing: " + in_quotes(mail.user) +
                              " (user) is no mail address that could be the sender");
    else
        mail.from = mail.user;
}

std::string mail_audience(const ChannelConfig& channel) {
    return fmt::format("mail to {}", fmt::join(channel.own<MailConfig>().to_list, ", "));
}

std::vector<std::uint16_t> mail_ports(const ChannelConfig& channel) {
    return {static_cast<std::uint16_t>(channel.own<MailConfig>().port)};
}

Result<TlsClient> mail_trust(const ChannelConfig& channel) {
    return master::mail_tls(channel.own<MailConfig>());
}

void compose_mail_message(const ChannelConfig& channel, const std::vector<master::Telling>& tellings,
                          master::SpoolMessage& message) {
    master::MailMessage mail = master::compose_mail(channel.own<MailConfig>(), tellings, message.lost);
    message.subject = std::move(mail.subject);
    message.text = std::move(mail.text);
    message.sender = std::move(mail.sender);
    message.recipients = std::move(mail.recipients);
}

std::unique_ptr<master::Delivery> deliver_mail_message(const ChannelConfig& channel,
                                                       const master::Letter& letter, const TlsClient& tls) {
    return master::in_own_thread(master::deliver_mail(channel.own<MailConfig>(), letter, tls));
}

std::string dead_mail(const master::SpoolMessage& message, const std::vector<std::string>& recipients,
                      const std::string& why) {
    std::string head = "X-Healthcheckd-Reason: " + printable(why) + "\r\n";
    for (const std::string& each : recipients)
        head += "X-Healthcheckd-Recipient: " + printable(each) + "\r\n";
    return head + message.text;
}

}  // namespace

extern const ChannelKind kMailChannel{
    .section = "mail",
    .label = "mail",
    .word = "email",
    .make_settings = make_settings<MailConfig>,
    .keys = kMailKeys,
    .finish = finish_mail,
    .audience = mail_audience,
    .ports = mail_ports,
    .trust = mail_trust,
    .compose = compose_mail_message,
    .deliver = deliver_mail_message,
    .dead_letter = dead_mail,
    .dead_suffix = ".eml",
};

}  // namespace healthcheckd
