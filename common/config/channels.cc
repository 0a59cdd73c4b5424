#include "common/config/channels.h"

namespace healthcheckd {

std::string_view to_string(MailTls tls) {
    switch (tls) {
    case MailTls::implicit:
        return "implicit";
    case MailTls::starttls:
        return "starttls";
    case MailTls::opportunistic:
        return "opportunistic";
    case MailTls::none:
        return "none";
    }
    __builtin_unreachable();
}

std::string_view to_string(WebhookFormat format) {
    switch (format) {
    case WebhookFormat::json:
        return "json";
    case WebhookFormat::slack:
        return "slack";
    case WebhookFormat::wecom:
        return "wecom";
    case WebhookFormat::dingtalk:
        return "dingtalk";
    case WebhookFormat::feishu:
        return "feishu";
    }
    __builtin_unreachable();
}

}  // namespace healthcheckd
