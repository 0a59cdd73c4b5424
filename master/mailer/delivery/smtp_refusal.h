// Whose fault a refusal of an SMTP server is. Mailer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace healthcheckd::master {

enum class Blame : std::uint8_t {
    later,      // nobody's: 4xx, or no answer at all
    us,         // how we greet, who we say to be, what the server lets us do: it will be so for every mail
    recipient,  // this recipient, for good
    message,    // this mail, for good
};

// `phase`: as SmtpDialogue::phase() says it. `answer`: the server's ("550 5.1.1 no such user"). The enhanced
// code (RFC 3463), where there is one, decides before the code of RFC 5321.
Blame blame_of(std::string_view phase, std::string_view answer);

// The answer's codes ("504 5.5.2"): what stays the same when a server answers the same again.
std::string codes_of(std::string_view answer);

}  // namespace healthcheckd::master
