// Replaces the secrets of a webhook in its receiver's reply. Mailer.
#pragma once

#include "common/config/channels.h"

#include <string>
#include <vector>

namespace healthcheckd::master {

// Receivers often repeat the request: "Cannot POST /services/T0/KEY".
class Redactor {
public:
    explicit Redactor(const WebhookConfig& webhook);
    // Returns `text` with ******** for the URL's path, parts of it, and query, for the secret,
    // and for values of headers.
    std::string operator()(std::string text) const;

private:
    void add(std::string_view text, std::size_t least);
    void add_url(std::string_view url);

    std::vector<std::string> hidden_;  // longest first
};

}  // namespace healthcheckd::master
