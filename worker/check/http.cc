#include "worker/check/http.h"

#include "common/net/address.h"
#include "common/text/concat.h"
#include "common/text/digits.h"
#include "common/text/json.h"
#include "common/text/number.h"
#include "common/text/printable.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::worker {

namespace {

using Json = nlohmann::json;

bool printable_only(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte == 0x7f || (byte < 0x20 && byte != '\t');
    });
}

Result<Headers> headers_of(const HttpCheck& http) {
    Headers list;
    if (http.headers.empty())
        return list;
    const Json headers = parse_json(http.headers.view());
    if (!headers.is_object())
        return Error{"headers: not a JSON object"};
    for (const auto& [name, value] : headers.items()) {
        if (value.is_structured())
            return Error{fmt::format("headers: the value of {} is not a single value", printable(name))};
        const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
        if (name.empty() || !printable_only(name) || name.find_first_of(" \t:;") != std::string::npos ||
            !printable_only(text))
            return Error{fmt::format("headers: {} cannot be sent", printable(name))};
        list.emplace_back(name, text);
    }
    return list;
}

std::string login_of(const HttpCheck& http) {
    if (http.username.empty() && http.password.empty())
        return {};
    return concat(http.username.view(), ":", http.password.view());
}

}  // namespace

Result<void> HttpProbe::prepare() {
    const std::string host = with_full_address(http_.host);
    dialer_.emplace(host, http_.port, cat_.timeout);
    const auto headers = headers_of(http_);
    if (!headers)
        return headers.error();
    request_.emplace(http_.method, request_target(http_.path),
                     authority_of(host, http_.port, http_.tls ? 443 : 80), *headers, login_of(http_),
                     http_.json.view());
    return http_.tls ? prepare_tls(host) : Result<void>{};
}

Result<void> HttpProbe::prepare_tls(const std::string& host) {
    if (http_.verify) {
        const std::string file = http_.ca_file.empty() ? system_ca_file() : http_.ca_file;
        ca_file_.emplace(std::vector<std::string>{file});
        auto trusting = TlsClient::trusting(file);
        if (!trusting)
            return Error{"caFile: " + trusting.error().text()};
        tls_ = std::move(*trusting);
    } else {
        tls_ = TlsClient::trusting_all();
    }
    tls_stream_ = std::make_unique<TlsStream>(*tls_, host, cat_.timeout);
    return {};
}

Finding HttpProbe::judge(const HttpExchange& exchange, const HttpExchange::Answer& answer,
                         const ProbeTimer& timer) const {
    using End = HttpExchange::End;
    const int status = exchange.head().status();
    const std::string shown = is_final(status) ? std::to_string(status) : "";
    switch (answer.end) {
    case End::answered:
        if (std::ranges::none_of(http_.expect_status, [status](const auto& range) {
                return status >= range.first && status <= range.second;
            }))
            return {Verdict::failure,
                    concat("HTTP ", shown, ", expected ", status_text(http_.expect_status))};
        return {Verdict::success,
                concat("HTTP ", shown, " in ", Digits::fixed(timer.milliseconds(), 1), " ms")};
    case End::closed:
        return {Verdict::failure,
                shown.empty() ? "the connection was closed without an answer"
                              : concat("HTTP ", shown, ", but the connection was closed within a header")};
    case End::lost:
        return {Verdict::failure, "the connection was lost: " + answer.why};
    case End::refused:
        return {Verdict::failure, "bad response: " + answer.why};
    case End::late:
        break;
    }
    const std::string limit = number_text(std::chrono::duration<double>(cat_.timeout).count()) + " s";
    if (shown.empty())
        return {Verdict::failure, "no answer within " + limit};
    return {Verdict::failure,
            concat("HTTP ", shown, ", but the head of the answer did not end within ", limit)};
}

ProbeResult HttpProbe::exchange(ByteStream& stream, ProbeTimer& timer) const {
    HttpExchange exchange(stream, *request_, http_.method == "HEAD");
    const HttpExchange::Answer answer = exchange.ask(timer.deadline());
    timer.stop();
    exchange.finish(timer.deadline());
    return timer.result(judge(exchange, answer, timer));
}

ProbeResult HttpProbe::probe(const ProbeCommand&) {
    ProbeTimer timer(cat_.timeout);
    Dialled dialled = dialer_->dial(timer.deadline());
    if (!dialled.fd)
        return timer.result(std::move(dialled.finding));
    if (!tls_stream_) {
        PlainStream plain(std::move(dialled.fd));
        return exchange(plain, timer);
    }
    TlsStream::Opened opened = tls_stream_->open(std::move(dialled.fd), timer.deadline());
    if (opened.ok)
        return exchange(*tls_stream_, timer);
    // New CA certificates may include this server's.
    if (opened.distrusted && ca_file_ && !ca_file_->replaced().empty())
        throw std::runtime_error(ca_file_->replaced() + " was replaced");
    return timer.result(std::move(opened.finding));
}

}  // namespace healthcheckd::worker
