// What causes an SMTP server to reject a mail. Mailer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace healthcheckd::master {

enum class Blame : std::uint8_t {
    later,      // temporary: 4xx, or no reply at all
    us,         // our greeting, sender or permissions: every mail would be rejected
    recipient,  // this recipient, permanently
    message,    // this mail, permanently
};

// `phase`: from SmtpDialogue::phase(). `answer`: the server's reply ("550 5.1.1 no such user"). An enhanced
// status code (RFC 3463) takes precedence over the reply code of RFC 5321.
Blame blame_of(std::string_view phase, std::string_view answer);

// Returns the codes of the reply ("504 5.5.2"), which are the same when a server repeats the reply.
std::string codes_of(std::string_view answer);

}  // namespace healthcheckd::master
