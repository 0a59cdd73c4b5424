#include "worker/check/http.h"

#include "common/text/concat.h"
#include "common/text/json.h"
#include "common/text/printable.h"
#include "worker/probe/http_head.h"

#include <algorithm>
#include <cctype>
#include <spdlog/fmt/fmt.h>
#include <strings.h>

#ifndef HEALTHCHECKD_VERSION
#define HEALTHCHECKD_VERSION "unknown"
#endif

namespace healthcheckd::worker {

namespace {

using Json = nlohmann::json;

bool same_header(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool printable_only(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte == 0x7f || (byte < 0x20 && byte != '\t');
    });
}

// Returns the headers of `http` in libcurl's form, with a Content-Type for a body that has none.
Result<CurlList> header_list(const HttpCheck& http) {
    CurlList list;
    // Otherwise libcurl asks for permission to send a large body, and waits for the answer.
    append(list, "Expect:");
    bool has_type = false;
    if (!http.headers.empty()) {
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
            // With a semicolon, libcurl sends a header without a value.
            append(list, text.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, text));
            has_type = has_type || same_header(name, "Content-Type");
        }
    }
    if (!http.json.empty() && http.method == "POST" && !has_type)
        append(list, "Content-Type: application/json");
    return list;
}

// Returns whether this line of a head announces that the server will close the connection.
bool announces_end(std::string_view line) {
    constexpr std::string_view kName = "connection:";
    if (line.starts_with("HTTP/1.0"))
        return true;
    std::string lower(line);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower.starts_with(kName) && lower.find("close", kName.size()) != std::string::npos;
}

}  // namespace

std::string request_target(std::string_view path) {
    std::string target(path.starts_with('/') ? 0 : 1, '/');
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= 0x20 || byte >= 0x7f || c == '#')
            target += fmt::format("%{:02X}", byte);
        else
            target += c;
    }
    return target;
}

Result<void> HttpProbe::prepare() {
    dialer_.emplace(http_.host, http_.port, cat_.timeout);
    auto headers = header_list(http_);
    if (!headers)
        return headers.error();
    headers_ = std::move(*headers);
    call_ = std::make_unique<CurlCall>(http_.tls, http_.host, http_.port, cat_.timeout);
    if (auto prepared = prepare_tls(); !prepared)
        return prepared;
    CurlCall& call = *call_;
    call.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    call.set(CURLOPT_REQUEST_TARGET, request_target(http_.path).c_str());
    call.set(CURLOPT_USERAGENT, "healthcheckd/" HEALTHCHECKD_VERSION);
    call.set(CURLOPT_HTTPHEADER, headers_.get());
    call.set(CURLOPT_FOLLOWLOCATION, 0L);
    call.set(CURLOPT_HTTP_CONTENT_DECODING, 0L);
    call.set(CURLOPT_WRITEFUNCTION, &HttpProbe::on_body);
    call.set(CURLOPT_WRITEDATA, this);
    call.set(CURLOPT_HEADERFUNCTION, &HttpProbe::on_header);
    call.set(CURLOPT_HEADERDATA, this);
    if (http_.method == "HEAD") {
        call.set(CURLOPT_NOBODY, 1L);
    } else if (http_.method == "POST") {
        const std::string_view body = http_.json.view();
        call.set(CURLOPT_POST, 1L);
        call.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
        // libcurl keeps only the pointer; the secret is not copied.
        call.set(CURLOPT_POSTFIELDS, body.empty() ? "" : body.data());
    }
    if (!http_.username.empty() || !http_.password.empty()) {
        call.set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
        call.set(CURLOPT_USERNAME, std::string(http_.username.view()).c_str());
        call.set(CURLOPT_PASSWORD, std::string(http_.password.view()).c_str());
    }
    return {};
}

Result<void> HttpProbe::prepare_tls() {
    if (!http_.tls)
        return {};
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
    tls_->apply(call_->handle());
    return {};
}

std::size_t HttpProbe::on_body(char*, std::size_t size, std::size_t count, void* self) {
    auto& probe = *static_cast<HttpProbe*>(self);
    probe.body_bytes_ += size * count;
    return probe.body_bytes_ > kMaxBodyBytes ? 0 : size * count;
}

std::size_t HttpProbe::on_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto& probe = *static_cast<HttpProbe*>(self);
    const std::string_view line(data, size * count);
    probe.header_bytes_ += line.size();
    if (probe.header_bytes_ > kMaxHeaderBytes)
        return 0;
    if (line == "\r\n" || line == "\n")
        probe.on_head_end();
    else if (announces_end(line))
        probe.call_->other_side_ends();
    return line.size();
}

// Also called for interim heads, and at the end of trailers.
void HttpProbe::on_head_end() {
    const long status = call_->status();
    if (status_ != 0 || !is_final(status))
        return;
    status_ = status;
    timer_->stop();
    call_->have_answer();
}

Finding HttpProbe::judge(long status) const {
    const bool expected =
        std::any_of(http_.expect_status.begin(), http_.expect_status.end(),
                    [&](const auto& range) { return status >= range.first && status <= range.second; });
    if (!expected)
        return {Verdict::failure,
                fmt::format("HTTP {}, expected {}", status, status_text(http_.expect_status))};
    return {Verdict::success, concat("HTTP ", Digits::whole(static_cast<std::uint64_t>(status)), " in ",
                                     Digits::fixed(timer_->milliseconds(), 1), " ms")};
}

Finding HttpProbe::judge_fault(CURLcode code) const {
    if (code == CURLE_WRITE_ERROR && header_bytes_ > kMaxHeaderBytes)
        return {Verdict::failure, "bad response: headers larger than 64 KB"};
    // New CA certificates may include this server's.
    if (code == CURLE_PEER_FAILED_VERIFICATION && ca_file_ && !ca_file_->replaced().empty())
        throw std::runtime_error(ca_file_->replaced() + " was replaced");
    // A header that libcurl rejects: without a colon, or a Content-Length that is no number.
    if ((code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_BAD_CONTENT_ENCODING) && header_bytes_ > 0 &&
        is_final(call_->status()))
        return judge(call_->status());
    if (header_bytes_ == 0)
        if (const auto status = final_status(call_->unread()))
            return judge(*status);
    return call_->fault(code);
}

ProbeResult HttpProbe::probe(const ProbeCommand&) {
    timer_.emplace(cat_.timeout);
    body_bytes_ = 0;
    header_bytes_ = 0;
    status_ = 0;
    Dialled dialled = dialer_->dial(timer_->deadline());
    if (!dialled.fd)
        return timer_->result(std::move(dialled.finding));
    const CURLcode code = call_->perform(std::move(dialled.fd), dialled.family, timer_->deadline());
    // A reset that comes before the request is sent costs the response: libcurl 7.88 calls connect(2) for the
    // connected socket, 8.14 reads and discards what is in it. What such a server says without a request it says again
    // to a connection that only listens, if it is no TLS server.
    const bool lost_early = code == CURLE_COULDNT_CONNECT || code == CURLE_SEND_ERROR;
    if (lost_early && !http_.tls && header_bytes_ == 0 && call_->unread().empty()) {
        dialled = dialer_->dial(timer_->deadline());
        if (!dialled.fd)
            return timer_->result(std::move(dialled.finding));
        call_->hear(std::move(dialled.fd), timer_->deadline());
    }
    timer_->stop();
    // CURLE_PARTIAL_FILE: the connection ended after the head, without the body.
    if (code != CURLE_OK && code != CURLE_PARTIAL_FILE)
        return timer_->result(judge_fault(code));
    // The end of the connection also completes a head without an empty line, but not within a line; an
    // interim head is no response.
    const long status = status_ != 0 ? status_ : call_->status();
    if (!is_final(status))
        return timer_->result({Verdict::failure, "the connection was closed without an answer"});
    if (status_ == 0 && call_->received().value_or(0) > header_bytes_)
        return timer_->result(
            {Verdict::failure,
             fmt::format("HTTP {}, but the connection was closed within a header", status)});
    return timer_->result(judge(status));
}

}  // namespace healthcheckd::worker
