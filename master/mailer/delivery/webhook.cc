// One request to a webhook, with libcurl. Mailer.
#include "common/net/tls_fault.h"
#include "common/text/json.h"
#include "common/text/printable.h"
#include "master/mailer/delivery/delivery.h"
#include "master/mailer/delivery/redactor.h"
#include "master/mailer/text/webhook_message.h"

#include <array>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMostAnswer = 16 * 1024;          // maximum that is examined
constexpr std::size_t kMostReceived = 4 * 1024 * 1024;  // above this the transfer is aborted

class WebhookDelivery : public Delivery {
public:
    WebhookDelivery(const WebhookConfig& webhook, const Letter& letter, const TlsClient& tls);
    std::optional<DeliveryResult> step() override;
    void watch(Watch& watch) const override { transfer_.watch(watch); }

private:
    static std::size_t on_write(char* data, std::size_t size, std::size_t count, void* self);
    void add_own_headers();
    // Returns "hooks.example.org", without the secret parts of the URL.
    std::string server() const;

    const WebhookConfig& webhook_;
    SignedCall call_;
    const Redactor mask_;
    std::string answer_;
    std::size_t received_ = 0;
    std::array<char, CURL_ERROR_SIZE> error_text_{};
    CurlList headers_;
    Transfer transfer_;
};

WebhookDelivery::WebhookDelivery(const WebhookConfig& webhook, const Letter& letter, const TlsClient& tls)
    : webhook_(webhook), call_(sign_call(webhook.format, webhook.url.view(), webhook.secret.view(),
                                         letter.text, std::chrono::system_clock::now())),
      mask_(webhook) {
    append_to(headers_, "Content-Type: application/json; charset=utf-8");
    append_to(headers_, "Expect:");  // do not wait for "100 Continue"
    for (const std::string& line : call_.headers)
        append_to(headers_, line);
    add_own_headers();
    CURL* c = transfer_.handle();
    libcurl().easy_setopt(c, CURLOPT_URL, call_.url.c_str());
    libcurl().easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    tls.apply(c);
    libcurl().easy_setopt(c, CURLOPT_USERAGENT, "healthcheckd/" HEALTHCHECKD_VERSION);
    libcurl().easy_setopt(c, CURLOPT_HTTPHEADER, headers_.get());
    libcurl().easy_setopt(c, CURLOPT_POSTFIELDS, call_.body.data());
    libcurl().easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call_.body.size()));
    libcurl().easy_setopt(c, CURLOPT_WRITEFUNCTION, on_write);
    libcurl().easy_setopt(c, CURLOPT_WRITEDATA, this);
    libcurl().easy_setopt(c, CURLOPT_ERRORBUFFER, error_text_.data());
    libcurl().easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(kTryLimit.count()));
    libcurl().easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(kTryLimit.count()));
    transfer_.begin();
}

std::size_t WebhookDelivery::on_write(char* data, std::size_t size, std::size_t count, void* self) {
    // Returning less than the size aborts the transfer.
    auto& delivery = *static_cast<WebhookDelivery*>(self);
    delivery.received_ += size * count;
    if (delivery.received_ > kMostReceived)
        return 0;
    delivery.answer_.append(data, std::min(size * count, kMostAnswer - delivery.answer_.size()));
    return size * count;
}

// The configuration has checked them: names are tokens, values have no control characters.
void WebhookDelivery::add_own_headers() {
    if (webhook_.headers.empty())
        return;
    const auto own = parse_json(webhook_.headers.view());
    if (!own.is_object())
        return;
    for (const auto& [name, value] : own.items())
        if (value.is_string())
            append_to(headers_, value.get_ref<const std::string&>().empty()
                                    ? name + ";"
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
    // An endless response has begun with a status, which is what counts: the request was received.
    const bool cut = *code == CURLE_WRITE_ERROR && received_ > kMostReceived;
    if (*code != CURLE_OK && !cut) {
        const std::string detail =
            printable(error_text_[0] != '\0' ? error_text_.data() : libcurl().easy_strerror(*code), 300);
        const std::string fault = tls_fault(transfer_.handle(), *code, detail, where);
        result.concerns_channel = true;
        result.message = where + ": " +
                         (*code == CURLE_OPERATION_TIMEDOUT
                              ? fmt::format("no answer within {} s", kTryLimit.count() / 1000)
                          : fault.empty() ? detail
                                          : fault);
        return result;
    }
    long status = 0;
    libcurl().easy_getinfo(transfer_.handle(), CURLINFO_RESPONSE_CODE, &status);
    const CallVerdict verdict = judge_answer(webhook_.format, status, answer_,
                                             [this](std::string text) { return mask_(std::move(text)); });
    result.outcome = verdict.outcome;
    result.message = verdict.outcome == Outcome::sent ? "delivered to " + where : where + ": " + verdict.why;
    result.retry_slowly = verdict.retry_slowly;
    result.concerns_channel = verdict.concerns_channel;
    return result;
}

}  // namespace

std::unique_ptr<Delivery> deliver_webhook(const WebhookConfig& webhook, const Letter& letter,
                                          const TlsClient& tls) {
    return std::make_unique<WebhookDelivery>(webhook, letter, tls);
}

}  // namespace healthcheckd::master
