#include "master/mailer/text/webhook_message.h"

#include "common/net/libcurl.h"
#include "common/net/openssl.h"
#include "common/text/json.h"
#include "common/text/mime.h"
#include "common/text/printable.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// Maximum text in bytes: wecom rejects more than 2,048, slack truncates after 40,000 characters.
std::size_t most_bytes(WebhookFormat format) {
    return format == WebhookFormat::wecom ? 2'000 : 12'000;
}

// Maximum request in bytes: dingtalk and feishu reject more than 20,000, including the signature.
constexpr std::size_t kMostCall = 19'000;

std::string chat_text(const std::vector<Telling>& tellings, std::uint64_t lost, std::size_t max) {
    std::string text = subject_of(tellings) + '\n';
    const std::string end = loss_sentence(lost);
    if (tellings.size() == 1) {
        const std::string details = details_of(tellings.front());
        const std::size_t room = max - std::min(max, text.size() + end.size() + 20);
        text += details.size() <= room ? details : printable(summary_line(tellings.front()), room) + '\n';
        return text + end;
    }
    std::size_t named = 0;
    for (const Telling& telling : tellings) {
        const std::string line = printable(summary_line(telling), 300) + '\n';
        if (text.size() + line.size() + end.size() + 60 > max)
            break;
        text += line;
        ++named;
    }
    if (named < tellings.size())
        text += fmt::format("... and {} more: see healthcheckd's log\n", tellings.size() - named);
    return text + end;
}

// Escapes Slack's three special characters (api.slack.com, "Formatting text for app surfaces").
std::string slack_escaped(std::string_view text) {
    std::string out;
    for (const char c : text)
        out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
    return out;
}

// Feishu interprets <at user_id="all"> in a text, WeCom <@all>: quoted text must not mention
// anybody. Keeps the length.
std::string without_mentions(std::string text) {
    std::string small = text;
    std::ranges::transform(small, small.begin(), [](unsigned char c) { return std::tolower(c); });
    for (std::size_t at = 0; (at = small.find('<', at)) != std::string::npos; ++at) {
        const std::string_view next = std::string_view(small).substr(at + 1);
        if (next.starts_with("at") || next.starts_with("/at") || next.starts_with('@'))
            text[at] = '(';
    }
    return text;
}

ordered_json event_json(const Telling& telling) {
    ordered_json event = notice_json(telling.notice);
    event["reminder"] = telling.reminder;
    event["repeats"] = telling.repeats;
    return event;
}

std::string dumped(const ordered_json& value) {
    return json_text(value);
}

std::string chat_call(WebhookFormat format, const std::string& text) {
    if (format == WebhookFormat::slack)
        return dumped({{"text", slack_escaped(text)}});
    if (format == WebhookFormat::feishu)
        return dumped({{"msg_type", "text"}, {"content", {{"text", without_mentions(text)}}}});
    return dumped({{"msgtype", "text"}, {"text", {{"content", without_mentions(text)}}}});
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    if (openssl().HMAC(openssl().EVP_sha256(), key.data(), static_cast<int>(key.size()),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(),
                       &size) == nullptr)
        return "";
    return {reinterpret_cast<const char*>(out.data()), size};
}

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char byte : bytes)
        out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return out;
}

std::string url_encoded(const std::string& text) {
    const CurlText encoded(libcurl().easy_escape(nullptr, text.data(), static_cast<int>(text.size())));
    return encoded ? encoded.get() : "";
}

// Returns the code for success or failure in a chat service's response, and its text.
std::optional<long> error_code(std::string_view body, std::string& text) {
    const json answer = parse_json(body);
    if (!answer.is_object())
        return std::nullopt;
    for (const char* name : {"errmsg", "msg", "StatusMessage"})
        if (answer.contains(name) && answer[name].is_string())
            text = answer[name];
    for (const char* name : {"errcode", "code", "StatusCode"})
        if (answer.contains(name) && answer[name].is_number_integer())
            return answer[name].get<long>();
    return std::nullopt;
}

// Returns whether the code is "too many requests" of wecom (45009), dingtalk (130101, 410100) or
// feishu (11232), or busy (-1).
bool means_later(long code) {
    constexpr std::array kLater{-1L, 45009L, 130101L, 410100L, 11232L};
    return std::ranges::find(kLater, code) != kLater.end();
}

// 9499 of feishu means "too many request" as well as "Bad Request"; only the text tells which.
bool may_mean_later(WebhookFormat format, long code, std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
    return format == WebhookFormat::feishu && code == 9499 && text.find("too many") != std::string::npos;
}

}  // namespace

std::string compose_call(WebhookFormat format, const std::vector<Telling>& tellings, std::uint64_t lost) {
    switch (format) {
    case WebhookFormat::json: {
        ordered_json events = ordered_json::array();
        for (const Telling& telling : tellings)
            events.push_back(event_json(telling));
        return dumped({{"version", 1},
                       {"subject", subject_of(tellings)},
                       {"host", tellings.front().notice.host},
                       {"lost", lost},
                       {"events", std::move(events)}});
    }
    case WebhookFormat::slack:
    case WebhookFormat::wecom:
    case WebhookFormat::dingtalk:
    case WebhookFormat::feishu:
        break;
    }
    std::string call;
    std::size_t max = 2 * most_bytes(format);
    do {
        max /= 2;  // escaping can double the size of a text with many quotes
        call = chat_call(format, chat_text(tellings, lost, max));
    } while (call.size() > kMostCall && max > 500);
    return call;
}

SignedCall sign_call(WebhookFormat format, std::string_view url, std::string_view secret,
                     const std::string& body, std::chrono::system_clock::time_point now) {
    SignedCall call{std::string(url), body, {}};
    if (secret.empty())
        return call;
    const auto since_epoch = now.time_since_epoch();
    const std::string seconds =
        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(since_epoch).count());
    switch (format) {
    case WebhookFormat::dingtalk: {
        const std::string ms =
            std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count());
        const std::string sign = base64(hmac_sha256(secret, ms + '\n' + std::string(secret)));
        call.url += fmt::format("{}timestamp={}&sign={}", url.find('?') == std::string_view::npos ? '?' : '&',
                                ms, url_encoded(sign));
        break;
    }
    case WebhookFormat::feishu: {
        // For feishu, the string to sign is the HMAC's key, and the message is empty.
        ordered_json whole = {{"timestamp", seconds},
                              {"sign", base64(hmac_sha256(seconds + '\n' + std::string(secret), ""))}};
        whole.update(ordered_json::parse(body));
        call.body = dumped(whole);
        break;
    }
    case WebhookFormat::json:
        call.headers = {"X-Healthcheckd-Timestamp: " + seconds,
                        "X-Healthcheckd-Signature: sha256=" + hex(hmac_sha256(secret, seconds + '.' + body))};
        break;
    case WebhookFormat::slack:
    case WebhookFormat::wecom:
        break;
    }
    return call;
}

CallVerdict judge_answer(WebhookFormat format, long status, std::string_view body,
                         const std::function<std::string(std::string)>& mask) {
    const std::string answer =
        fmt::format("HTTP {}{}{}", status, body.empty() ? "" : ": ", printable(mask(std::string(body)), 200));
    if (status == 429 || status == 408 || status >= 500)
        return {Outcome::deferred, answer, status == 429, status != 408};
    if (status < 200 || status > 299)
        return {Outcome::rejected, answer};
    if (format == WebhookFormat::json || format == WebhookFormat::slack)
        return {Outcome::sent, ""};
    std::string text;
    const std::optional<long> code = error_code(body, text);
    if (!code)
        return {Outcome::deferred, answer + ", which is no answer of " + std::string(to_string(format))};
    if (*code == 0)
        return {Outcome::sent, ""};
    const bool busy = means_later(*code);
    const bool later = busy || may_mean_later(format, *code, text);
    return {later ? Outcome::deferred : Outcome::rejected,
            fmt::format("error {}: {}", *code, printable(mask(text), 200)), later, busy};
}

}  // namespace healthcheckd::master
