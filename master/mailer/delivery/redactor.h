// What of a webhook's configuration must not be shown, taken out of what its receiver says. Mailer.
#pragma once

#include "common/config/channels.h"

#include <string>
#include <vector>

namespace healthcheckd::master {

// Receivers like to send back what they were sent: "Cannot POST /services/T0/KEY".
class Redactor {
public:
    explicit Redactor(const WebhookConfig& webhook);
    // `text` with ******** for the path of the URL, its parts, the query, the secret, and values of headers.
    std::string operator()(std::string text) const;

private:
    void add(std::string_view text, std::size_t least);
    void add_url(std::string_view url);

    std::vector<std::string> hidden_;  // longest first
};

}  // namespace healthcheckd::master
