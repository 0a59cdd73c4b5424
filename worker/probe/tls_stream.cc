#include "worker/probe/tls_stream.h"

#include "common/net/tls_fault.h"
#include "common/text/concat.h"
#include "common/text/number.h"
#include "common/text/printable.h"
#include "worker/probe/http_request.h"
#include "worker/probe/tcp_connect.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <stdexcept>

namespace healthcheckd::worker {

namespace {

int already_connected(void*, curl_socket_t, curlsocktype) {
    return CURL_SOCKOPT_ALREADY_CONNECTED;
}

}  // namespace

template <class T> void TlsStream::set(CURLoption option, T value) {
    if (const CURLcode code = curl_easy_setopt(handle_.get(), option, value); code != CURLE_OK)
        throw std::runtime_error(std::string("libcurl: ") + curl_easy_strerror(code));
}

TlsStream::List TlsStream::connect_to(const char* address) {
    List list(curl_slist_append(nullptr, address));
    if (!list)
        throw std::bad_alloc();
    return list;
}

// By libcurl's URL API, so that no character of the host can become another part.
std::string TlsStream::url(const std::string& host, int port) {
    const std::unique_ptr<CURLU, Free> url(curl_url());
    const auto set = [&](CURLUPart part, const std::string& value) {
        if (const CURLUcode code = curl_url_set(url.get(), part, value.c_str(), 0); code != CURLUE_OK)
            throw std::runtime_error(
                fmt::format("host {}, port {}: {}", printable(host), port, curl_url_strerror(code)));
    };
    const bool bare_ipv6 = host.find(':') != std::string::npos && !host.starts_with('[');
    set(CURLUPART_SCHEME, "https");
    set(CURLUPART_HOST, bare_ipv6 ? "[" + host + "]" : host);
    set(CURLUPART_PORT, std::to_string(port));
    set(CURLUPART_PATH, "/");
    char* text = nullptr;
    if (curl_url_get(url.get(), CURLUPART_URL, &text, 0) != CURLUE_OK)
        throw std::runtime_error(fmt::format("host {}: not usable in an URL", printable(host)));
    const std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
    return text;
}

TlsStream::TlsStream(const TlsClient& tls, std::string host, int port, std::chrono::milliseconds timeout)
    : host_(std::move(host)), timeout_(timeout) {
    if (!handle_ || !multi_)
        throw std::runtime_error("libcurl: no handle");
    set(CURLOPT_URL, url(host_, port).c_str());
    set(CURLOPT_PROTOCOLS_STR, "https");
    set(CURLOPT_CONNECT_ONLY, 1L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_ERRORBUFFER, error_text_.data());
    set(CURLOPT_OPENSOCKETFUNCTION, &TlsStream::open_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_SOCKOPTFUNCTION, &already_connected);
    set(CURLOPT_CLOSESOCKETFUNCTION, &TlsStream::close_socket);
    set(CURLOPT_CLOSESOCKETDATA, this);
    tls.apply(handle_.get());
}

curl_socket_t TlsStream::open_socket(void* self, curlsocktype, curl_sockaddr*) {
    auto& stream = *static_cast<TlsStream*>(self);
    if (!stream.connection_)
        return CURL_SOCKET_BAD;
    stream.open_.insert(stream.connection_.get());
    return stream.connection_.release();
}

int TlsStream::close_socket(void* self, curl_socket_t fd) {
    auto& stream = *static_cast<TlsStream*>(self);
    UniqueFd connection(fd);
    if (stream.open_.erase(fd) > 0)
        end_connection(std::move(connection));
    return 0;
}

TlsStream::Opened TlsStream::open(UniqueFd connection, int family, Clock::time_point deadline) {
    close();
    error_text_[0] = '\0';
    if (is_reset(connection.get()))  // libcurl would connect it again
        return {.finding = {Verdict::failure, "TLS: the connection was closed during the handshake"}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    const auto limit_ms = static_cast<long>(std::max<std::int64_t>(left.count(), 1));
    set(CURLOPT_TIMEOUT_MS, limit_ms);
    set(CURLOPT_CONNECTTIMEOUT_MS, limit_ms);
    // Nothing is resolved; only the address's family matters, since the connection exists.
    set(CURLOPT_CONNECT_TO, (family == AF_INET6 ? by_ipv6_ : by_ipv4_).get());
    connection_ = std::move(connection);
    const CURLcode code = shake_hands(deadline);
    connection_.reset();
    if (code == CURLE_OK)
        return {.ok = true};
    Opened failed{.distrusted = code == CURLE_PEER_FAILED_VERIFICATION, .finding = fault(code)};
    close();
    return failed;
}

CURLcode TlsStream::shake_hands(Clock::time_point deadline) {
    if (curl_multi_add_handle(multi_.get(), handle_.get()) != CURLM_OK)
        return CURLE_FAILED_INIT;
    added_ = true;
    for (int running = 1;;) {
        if (curl_multi_perform(multi_.get(), &running) != CURLM_OK)
            return CURLE_FAILED_INIT;
        if (running == 0)
            break;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0)
            return CURLE_OPERATION_TIMEDOUT;
        if (curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(std::min<std::int64_t>(left, 1000)),
                            nullptr) != CURLM_OK)
            return CURLE_FAILED_INIT;
    }
    int left = 0;
    CURLcode code = CURLE_FAILED_INIT;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left))
        if (message->msg == CURLMSG_DONE)
            code = message->data.result;
    return code;
}

Finding TlsStream::fault(CURLcode code) const {
    const std::string detail =
        printable(error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(code), 200);
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return {Verdict::failure, fmt::format("TLS: connected, but the handshake was not over within {} s",
                                              number_text(std::chrono::duration<double>(timeout_).count()))};
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return {Verdict::unknown, fmt::format("libcurl: {}", detail)};
    default:
        break;
    }
    if (std::string why = tls_fault(handle_.get(), code, detail, host_); !why.empty())
        return {Verdict::failure, std::move(why)};
    const bool lost = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_COULDNT_CONNECT;
    return {Verdict::failure,
            concat(lost ? "the connection was lost: " : "TLS: the handshake failed: ", detail)};
}

ByteStream::Moved TlsStream::outcome(CURLcode code, std::size_t bytes) const {
    if (code == CURLE_AGAIN)
        return {State::wait};
    if (code == CURLE_OK)
        return {bytes > 0 ? State::moved : State::ended, bytes};
    return {State::lost, 0,
            printable(error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(code), 200)};
}

ByteStream::Moved TlsStream::send(std::string_view bytes, bool) {
    std::size_t sent = 0;
    const CURLcode code = curl_easy_send(handle_.get(), bytes.data(), bytes.size(), &sent);
    return outcome(code, sent);
}

ByteStream::Moved TlsStream::receive(char* buffer, std::size_t size) {
    std::size_t received = 0;
    const CURLcode code = curl_easy_recv(handle_.get(), buffer, size, &received);
    return outcome(code, received);
}

void TlsStream::close() {
    if (std::exchange(added_, false))
        curl_multi_remove_handle(multi_.get(), handle_.get());
    // libcurl 8.14 keeps an encrypted connection until the server's close_notify or the next transfer: for a whole
    // period, in which a small server can serve nobody else.
    for (const curl_socket_t fd : open_)
        cut_connection(fd);
    open_.clear();
}

}  // namespace healthcheckd::worker
