// Mail: what a message says, its MIME form, and one delivery by SMTP. Mail child.
#pragma once

#include "common/config.h"
#include "common/result.h"
#include "common/tls_client.h"
#include "master/action.h"

#include <chrono>
#include <string>
#include <vector>

namespace healthcheckd::master {

enum class MailKind { failed, resolved, unknown };

// What a mail is about.
struct MailEvent {
    MailKind kind = MailKind::failed;
    ActionRequest request;
    MainAction action = MainAction::none;
    ActionResult result;  // of `action`; not used when it is none
};

struct MailMessage {
    std::string sender;  // envelope and From
    std::vector<std::string> recipients;
    std::string text;  // the whole RFC 5322 message, lines ended by CRLF
    std::string message_id;
};

// The message for `event`: UTF-8 throughout, headers encoded (RFC 2047), Date, Message-ID, Auto-Submitted
// (RFC 3834), no header from outside text (CR and LF never reach one), lines of at most 998 octets.
MailMessage compose_mail(const MailConfig& mail, const MailEvent& event);

// What the server's certificate is judged by: mail.caFile, else the file of this system. Reads files: call it
// before confinement. Fails when there is none and the mail could not be sent without.
Result<TlsClient> mail_tls(const MailConfig& mail);

// Sends once, within `limit`, with the `tls` of mail_tls(). Errors say the phase and what the server
// answered, never the password. `permanent` in the result: the server refused for good (5xx), trying again is
// useless.
struct MailResult {
    bool ok = false;
    bool permanent = false;
    std::string message;
};
MailResult send_mail(const MailConfig& mail, const MailMessage& message, std::chrono::milliseconds limit,
                     const TlsClient& tls);

}  // namespace healthcheckd::master
