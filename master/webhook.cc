// One call of a webhook, with libcurl. Mailer.
#include "common/line_codec.h"
#include "common/tls_fault.h"
#include "master/delivery.h"
#include "master/webhook_message.h"

#include <array>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMostAnswer = 16 * 1024;

struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

class WebhookDelivery : public Delivery {
public:
    WebhookDelivery(const WebhookConfig& webhook, const SpoolMessage& message, const TlsClient& tls);
    std::optional<DeliveryResult> step() override;
    void watch(Watch& watch) const override { transfer_.watch(watch); }

private:
    static std::size_t on_write(char* data, std::size_t size, std::size_t count, void* self);
    void add_header(const std::string& line);
    void add_own_headers();
    // "hooks.example.org", without what in the URL is a key.
    std::string server() const;

    const WebhookConfig& webhook_;
    SignedCall call_;
    std::string answer_;
    std::array<char, CURL_ERROR_SIZE> error_text_{};
    std::unique_ptr<curl_slist, FreeList> headers_;
    Transfer transfer_;
};

WebhookDelivery::WebhookDelivery(const WebhookConfig& webhook, const SpoolMessage& message,
                                 const TlsClient& tls)
    : webhook_(webhook), call_(sign_call(webhook.format, webhook.url.view(), webhook.secret.view(),
                                         message.text, std::chrono::system_clock::now())) {
    add_header("Content-Type: application/json; charset=utf-8");
    add_header("Expect:");  // no waiting for "100 Continue"
    for (const std::string& line : call_.headers)
        add_header(line);
    add_own_headers();
    CURL* c = transfer_.handle();
    curl_easy_setopt(c, CURLOPT_URL, call_.url.c_str());
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    tls.apply(c);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "healthcheckd/" HEALTHCHECKD_VERSION);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers_.get());
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, call_.body.data());
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call_.body.size()));
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error_text_.data());
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(kTryLimit.count()));
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(kTryLimit.count()));
    transfer_.begin();
}

std::size_t WebhookDelivery::on_write(char* data, std::size_t size, std::size_t count, void* self) {
    // What is longer is no answer of a webhook; returning less than there was ends the transfer.
    std::string& answer = static_cast<WebhookDelivery*>(self)->answer_;
    if (answer.size() + size * count > kMostAnswer)
        return 0;
    answer.append(data, size * count);
    return size * count;
}

void WebhookDelivery::add_header(const std::string& line) {
    if (curl_slist* longer = curl_slist_append(headers_.get(), line.c_str())) {
        (void)headers_.release();
        headers_.reset(longer);
    }
}

// The configuration has checked them: names are tokens, values have no control characters.
void WebhookDelivery::add_own_headers() {
    if (webhook_.headers.empty())
        return;
    const auto own = nlohmann::json::parse(webhook_.headers.view(), nullptr, false);
    if (!own.is_object())
        return;
    for (const auto& [name, value] : own.items())
        if (value.is_string())
            add_header(value.get_ref<const std::string&>().empty() ? name + ";"
                                                                   : name + ": " + value.get<std::string>());
}

std::string WebhookDelivery::server() const {
    const std::string_view url = webhook_.url.view();
    const std::size_t begin = std::min(url.find("://"), url.size() - 3) + 3;
    return std::string(url.substr(begin, url.find_first_of("/?", begin) - begin));
}

std::optional<DeliveryResult> WebhookDelivery::step() {
    const std::optional<CURLcode> code = transfer_.step();
    if (!code)
        return std::nullopt;
    DeliveryResult result;
    const std::string where = server();
    if (*code != CURLE_OK) {
        const std::string detail =
            printable(error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(*code), 300);
        const std::string fault = tls_fault(transfer_.handle(), *code, detail, where);
        result.about_server = true;
        result.message = where + ": " +
                         (*code == CURLE_OPERATION_TIMEDOUT
                              ? fmt::format("no answer within {} s", kTryLimit.count() / 1000)
                          : *code == CURLE_WRITE_ERROR ? "the answer is too long for a webhook"
                          : fault.empty()              ? detail
                                                       : fault);
        return result;
    }
    long status = 0;
    curl_easy_getinfo(transfer_.handle(), CURLINFO_RESPONSE_CODE, &status);
    const CallVerdict verdict = judge_answer(webhook_.format, status, answer_);
    result.message = where + (verdict.why.empty() ? "" : ": " + verdict.why);
    switch (verdict.fate) {
    case CallVerdict::taken:
        result.fate = Fate::delivered;
        result.message = "delivered to " + where;
        break;
    case CallVerdict::later:
        result.fate = Fate::put_off;
        result.wants_rest = verdict.wants_rest;
        result.about_server = verdict.wants_rest || status >= 500;
        break;
    case CallVerdict::refused:
        result.fate = Fate::refused;
        break;
    }
    return result;
}

}  // namespace

std::unique_ptr<Delivery> deliver_webhook(const WebhookConfig& webhook, const SpoolMessage& message,
                                          const TlsClient& tls) {
    return std::make_unique<WebhookDelivery>(webhook, message, tls);
}

}  // namespace healthcheckd::master
