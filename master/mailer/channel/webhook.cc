// The channel kind webhook: its keys, the rules between them, and composing requests.
#include "common/config/accessors.h"
#include "common/config/channels.h"
#include "common/config/draft.h"
#include "common/config/json.h"
#include "common/config/texts.h"
#include "common/net/tls_client.h"
#include "master/mailer/delivery/delivery.h"
#include "master/mailer/spool_message.h"
#include "master/mailer/text/webhook_message.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

namespace healthcheckd {

namespace {

constexpr std::size_t kMostCallBytes = 512 * 1024;  // of notices in one request: receivers reject longer ones

// Names of chat services in the predecessor; each stands for the webhook of that name.
constexpr std::string_view kChatNames[] = {"wechat", "dingding", "feishu"};

Result<std::string> canonical_webhook_url(std::string_view text) {
    return with_lower_scheme(text);
}

using W = WebhookConfig;

// clang-format off
constexpr Key kWebhookKeys[] = {
    {.name = "url", .required = true, .sensitivity = Sensitivity::url, .canonical = canonical_webhook_url,
     .set = set_secret<&W::url, check_webhook_url>, .get = get_secret<&W::url>},
    {.name = "format",
     .set = set_choice<&W::format, WebhookFormat::json, WebhookFormat::slack, WebhookFormat::wecom, WebhookFormat::dingtalk, WebhookFormat::feishu>, .get = get_choice<&W::format>},
    {.name = "secret", .sensitivity = Sensitivity::password,
     .set = set_secret<&W::secret, line_of<1024>>, .get = get_secret<&W::secret>},
    {.name = "headers", .shape = Shape::headers, .sensitivity = Sensitivity::masked, .canonical = checked_call_headers,
     .set = set_secret<&W::headers, check_json_size>, .get = get_secret<&W::headers>},
    {.name = "verify",
     .set = set_flag<&W::verify>, .get = get_flag<&W::verify>},
    {.name = "caFile",
     .set = set_text<&W::ca_file, check_absolute_path>, .get = get_text<&W::ca_file>},
};

// clang-format on

// Returns the default format for a webhook of this name.
WebhookFormat usual_format(const std::string& name) {
    if (name == "wechat" || name == "wecom")
        return WebhookFormat::wecom;
    if (name == "dingding" || name == "dingtalk")
        return WebhookFormat::dingtalk;
    if (name == "feishu")
        return WebhookFormat::feishu;
    return name == "slack" ? WebhookFormat::slack : WebhookFormat::json;
}

void finish_webhook(const SectionDraft& draft, ChannelConfig& channel, Diagnostics& diagnostics) {
    auto& webhook = channel.own<WebhookConfig>();
    draft.require("url", diagnostics);
    if (!draft.has("format"))
        webhook.format = usual_format(channel.name);
    const bool signs = webhook.format != WebhookFormat::slack && webhook.format != WebhookFormat::wecom;
    if (draft.has("secret") && !signs && !draft.invalid("format"))
        diagnostics.warning(draft.place_of("secret"), draft.path_of("secret"),
                            "has no effect: " + std::string(to_string(webhook.format)) +
                                " knows no signature, its key is part of the url");
}

Result<TlsClient> webhook_trust(const ChannelConfig& channel) {
    const auto& webhook = channel.own<WebhookConfig>();
    if (!webhook.verify)
        return TlsClient::trusting_all();
    if (!webhook.ca_file.empty())
        return TlsClient::trusting(webhook.ca_file);
    const std::string file = system_ca_file();
    if (webhook.url.view().starts_with("http://") && file.empty())
        return TlsClient::trusting_none();
    return TlsClient::trusting(file);
}

std::vector<std::uint16_t> webhook_ports(const ChannelConfig& channel) {
    return {port_of_url(channel.own<WebhookConfig>().url.view())};
}

// Chat formats truncate their text; format json contains everything, so its notices are limited.
std::size_t most_notice_bytes(const ChannelConfig& channel) {
    return channel.own<WebhookConfig>().format == WebhookFormat::json ? kMostCallBytes : SIZE_MAX;
}

void compose_webhook(const ChannelConfig& channel, const std::vector<master::Telling>& tellings,
                     master::SpoolMessage& message) {
    message.subject = master::subject_of(tellings);
    message.text = master::compose_call(channel.own<WebhookConfig>().format, tellings, message.lost);
}

Result<void> check_call(const std::string& text) {
    return nlohmann::json::accept(text) ? Result<void>() : Error{"its call is no JSON"};
}

std::unique_ptr<master::Delivery> deliver_call(const ChannelConfig& channel, const master::Letter& letter,
                                               const TlsClient& tls) {
    return master::deliver_webhook(channel.own<WebhookConfig>(), letter, tls);
}

}  // namespace

extern const ChannelKind kWebhookChannel{
    .section = "webhooks",
    .label = "webhook",
    .word = "webhook",
    .named = true,
    .aliases = kChatNames,
    .make_settings = make_settings<WebhookConfig>,
    .keys = kWebhookKeys,
    .finish = finish_webhook,
    .ports = webhook_ports,
    .trust = webhook_trust,
    .most_notice_bytes = most_notice_bytes,
    .compose = compose_webhook,
    .check_text = check_call,
    .deliver = deliver_call,
};

}  // namespace healthcheckd
