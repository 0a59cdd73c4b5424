#include "master/mailer/delivery/redactor.h"

#include "common/net/libcurl.h"
#include "common/text/json.h"
#include "common/text/mask.h"

#include <algorithm>
#include <memory>

namespace healthcheckd::master {

namespace {

// Shorter path segments are no secrets, and masking them would make replies unreadable.
constexpr std::size_t kLeastPart = 6;
constexpr std::size_t kLeastSecret = 3;

std::string percent_decoded(std::string_view text) {
    if (text.empty())
        return {};  // curl would determine the length itself
    int size = 0;
    const CurlText decoded(
        libcurl().easy_unescape(nullptr, text.data(), static_cast<int>(text.size()), &size));
    return decoded ? std::string(decoded.get(), static_cast<std::size_t>(size)) : std::string(text);
}

}  // namespace

Redactor::Redactor(const WebhookConfig& webhook) {
    add_url(webhook.url.view());
    add(webhook.secret.view(), kLeastSecret);
    const auto headers =
        webhook.headers.empty() ? nlohmann::json::object() : parse_json(webhook.headers.view());
    if (headers.is_object())
        for (const auto& [name, value] : headers.items())
            if (value.is_string()) {
                const auto& text = value.get_ref<const std::string&>();
                add(text, kLeastSecret);
                // "Bearer KEY"
                add(std::string_view(text).substr(std::min(text.size(), text.rfind(' ') + 1)), kLeastPart);
            }
    std::ranges::sort(hidden_, std::ranges::greater(), &std::string::size);
}

// Hides the text as it is, URL-decoded, and as JSON writes it.
void Redactor::add(std::string_view text, std::size_t least) {
    if (text.size() < least)
        return;
    const std::string plain = percent_decoded(text);
    std::string slashed;
    for (const char c : text)
        slashed += c == '/' ? "\\/" : std::string(1, c);
    for (const std::string& form : {std::string(text), plain, slashed})
        if (std::ranges::find(hidden_, form) == hidden_.end())
            hidden_.push_back(form);
}

void Redactor::add_url(std::string_view url) {
    const std::size_t host = std::min(url.find("://"), url.size() - std::min<std::size_t>(url.size(), 3)) + 3;
    const std::size_t begin = url.find_first_of("/?", host);
    if (begin == std::string_view::npos)
        return;
    const std::string_view all = url.substr(begin);
    const std::string_view path = all.substr(0, all.find('?'));
    add(all, 2);
    add(path, 2);
    if (path.size() < all.size())
        add(all.substr(path.size() + 1), kLeastSecret);
    for (std::size_t at = 0; at < all.size();) {
        const std::size_t end = std::min(all.find_first_of("/?&=", at), all.size());
        add(all.substr(at, end - at), kLeastPart);
        at = end + 1;
    }
}

std::string Redactor::operator()(std::string text) const {
    for (const std::string& each : hidden_)
        mask_in(text, each);
    return text;
}

}  // namespace healthcheckd::master
