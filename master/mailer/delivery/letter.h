// What is handed over to a server: by whom, to whom, and the text. Mailer.
#pragma once

#include <string>
#include <vector>

namespace healthcheckd::master {

struct Letter {
    std::string channel;  // "mail", "webhook:NAME"
    std::string text;     // the RFC 5322 message, or the JSON body of a webhook's call
    std::string sender;
    std::vector<std::string> recipients;  // of a mail: those that have not got it
};

}  // namespace healthcheckd::master
