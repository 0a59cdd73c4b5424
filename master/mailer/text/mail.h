// Mail: what a message says and its MIME form. Mailer.
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

// One message for all `tellings`, at least one: a list of them when there are several, and the details of as
// many as fit; every one is named. `lost`: notices that could not be kept.
//
// UTF-8 throughout, headers encoded (RFC 2047), Date, Message-ID, Auto-Submitted (RFC 3834), no header from
// outside text (CR and LF never reach one), lines of at most 998 octets.
MailMessage compose_mail(const MailConfig& mail, const std::vector<Telling>& tellings, std::uint64_t lost);

}  // namespace healthcheckd::master
