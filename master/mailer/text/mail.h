// The contents of a mail and its MIME form. Mailer.
#pragma once

#include "common/config/channels.h"
#include "master/mailer/text/notice_text.h"

#include <cstdint>
#include <string>
#include <vector>

namespace healthcheckd::master {

struct MailMessage {
    std::string sender;  // envelope and From
    std::vector<std::string> recipients;
    std::string subject;  // for the log
    std::string text;     // the whole RFC 5322 message, lines ended by CRLF
    std::string message_id;
};

// Composes one message for all `tellings`, which must not be empty: a list that names all of them if there
// are several, and the details of as many as fit. `lost`: number of lost notices.
//
// UTF-8 throughout, encoded headers (RFC 2047), Date, Message-ID, Auto-Submitted (RFC 3834). CR and LF of
// outside text never reach a header. Lines have at most 998 octets.
// outside text (CR and LF never reach one), lines of at most 998 octets.
MailMessage compose_mail(const MailConfig& mail, const std::vector<Telling>& tellings, std::uint64_t lost);

}  // namespace healthcheckd::master
