// What is delivered to a server: sender, recipients, and the text. Mailer.
#pragma once

#include <string>
#include <vector>

namespace healthcheckd::master {

struct Letter {
    std::string channel;  // "mail", "webhook:NAME"
    std::string text;     // the RFC 5322 message, or the JSON body for a webhook
    std::string sender;
    std::vector<std::string> recipients;  // of a mail: those that have not received it
};

}  // namespace healthcheckd::master
