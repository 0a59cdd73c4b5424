// The settings of mail and of webhooks. Configuration child, master and mailer.
#pragma once

#include "common/config/settings.h"
#include "common/system/secret.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd {

enum class MailTls : std::uint8_t { implicit, starttls, opportunistic, none };
enum class WebhookFormat : std::uint8_t { json, slack, wecom, dingtalk, feishu };
std::string_view to_string(MailTls tls);
std::string_view to_string(WebhookFormat format);

struct MailConfig : SettingsOf<MailConfig> {
    std::vector<std::string> hosts;  // tried in this order
    int port = 465;
    std::string user;  // login and default sender; may be empty
    Secret pass;       // no login without one
    std::vector<std::string> to_list;
    std::string from;  // effective sender address
    std::string helo;  // name in the greeting (HELO, EHLO); empty: the full name of this host
    MailTls tls = MailTls::implicit;
    bool verify = true;
    std::string ca_file;  // empty: the system's certificates
    std::string subject;  // template (common/text/template); empty: healthcheckd's own
    std::string body;     // as subject
};

struct WebhookConfig : SettingsOf<WebhookConfig> {
    Secret url;  // http or https; with most services part of it is a secret
    WebhookFormat format = WebhookFormat::json;
    Secret secret;   // signs each request; empty: no signature
    Secret headers;  // a JSON object of strings; empty: none
    bool verify = true;
    std::string ca_file;  // empty: the system's certificates
};

}  // namespace healthcheckd
