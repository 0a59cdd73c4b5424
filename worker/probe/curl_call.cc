#include "worker/probe/curl_call.h"

#include "common/net/tls_fault.h"
#include "common/text/number.h"
#include "common/text/printable.h"
#include "worker/probe/tcp_connect.h"

#include <algorithm>
#include <cstddef>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>

namespace healthcheckd::worker {

namespace {

constexpr int kTooLarge = 100;  // CURLE_TOO_LARGE: libcurl 8.6
constexpr std::chrono::milliseconds kCourtesy{200};
constexpr std::chrono::milliseconds kLastWait{100};
constexpr std::size_t kMostUnread = 64 << 10;
constexpr const char* kHeaderLineTooLong = "bad response: a header line is too long";

// Returns "http://[::1]:80/", made by libcurl's URL API, so that no character of the host can become another
// part.
std::string server_url(const std::string& scheme, const std::string& host, int port) {
    const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), &curl_url_cleanup);
    const bool bare_ipv6 = host.find(':') != std::string::npos && !host.starts_with('[');
    const std::string name = bare_ipv6 ? "[" + host + "]" : host;
    const auto set = [&](CURLUPart part, const std::string& value) {
        if (const CURLUcode code = curl_url_set(url.get(), part, value.c_str(), 0); code != CURLUE_OK)
            throw std::runtime_error(
                fmt::format("host {}, port {}: {}", printable(host), port, curl_url_strerror(code)));
    };
    set(CURLUPART_SCHEME, scheme);
    set(CURLUPART_HOST, name);
    set(CURLUPART_PORT, std::to_string(port));
    set(CURLUPART_PATH, "/");
    char* text = nullptr;
    if (curl_url_get(url.get(), CURLUPART_URL, &text, 0) != CURLUE_OK)
        throw std::runtime_error(fmt::format("host {}: not usable in an URL", printable(host)));
    const std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
    return text;
}

template <class T> T info(CURL* handle, CURLINFO what) {
    T value{};
    curl_easy_getinfo(handle, what, &value);
    return value;
}

}  // namespace

void append(CurlList& list, const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr)
        throw std::bad_alloc();
    (void)list.release();
    list.reset(longer);
}

CurlCall::CurlCall(bool tls, std::string host, int port, std::chrono::milliseconds timeout)
    : tls_(tls), host_(std::move(host)), timeout_(timeout), handle_(curl_easy_init()),
      multi_(curl_multi_init(), &curl_multi_cleanup) {
    if (!handle_ || !multi_)
        throw std::runtime_error("libcurl: no handle");
    const char* const scheme = tls_ ? "https" : "http";
    set(CURLOPT_URL, server_url(scheme, host_, port).c_str());
    set(CURLOPT_PROTOCOLS_STR, scheme);
    append(by_ipv4_, "::127.0.0.1:");
    append(by_ipv6_, "::[::1]:");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);
    set(CURLOPT_ERRORBUFFER, error_text_.data());
    set(CURLOPT_OPENSOCKETFUNCTION, &CurlCall::open_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_SOCKOPTFUNCTION, &CurlCall::set_up_socket);
    set(CURLOPT_CLOSESOCKETFUNCTION, &CurlCall::close_socket);
    set(CURLOPT_CLOSESOCKETDATA, this);
}

curl_socket_t CurlCall::open_socket(void* self, curlsocktype, curl_sockaddr*) {
    auto& call = *static_cast<CurlCall*>(self);
    if (!call.connection_)
        return CURL_SOCKET_BAD;
    call.open_.insert(call.connection_.get());
    return call.connection_.release();
}

int CurlCall::set_up_socket(void*, curl_socket_t, curlsocktype) {
    return CURL_SOCKOPT_ALREADY_CONNECTED;
}

int CurlCall::close_socket(void* self, curl_socket_t fd) {
    auto& call = *static_cast<CurlCall*>(self);
    UniqueFd connection(fd);
    if (call.open_.erase(fd) > 0) {
        call.read_rest(fd);
        call.count_received(fd);
        if (pollfd end{fd, POLLRDHUP, 0}; call.answered_ && call.other_side_ends_)
            (void)::poll(&end, 1, static_cast<int>(kLastWait.count()));
        end_connection(std::move(connection));
    }
    return 0;
}

// A server that responds without reading the request makes sending fail while its response is in the socket.
void CurlCall::read_rest(int fd) {
    if (answered_ || tls_)
        return;
    unread_.resize(kMostUnread);
    const ssize_t n = ::recv(fd, unread_.data(), unread_.size(), MSG_DONTWAIT);
    unread_.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
}

// The kernel counts the FIN as a byte too.
void CurlCall::count_received(int fd) {
    tcp_info seen{};
    socklen_t size = sizeof seen;
    constexpr socklen_t kNeeded = offsetof(tcp_info, tcpi_bytes_received) + sizeof seen.tcpi_bytes_received;
    if (!tls_ && ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &seen, &size) == 0 && size >= kNeeded &&
        seen.tcpi_bytes_received > 0 && TcpState{seen.tcpi_state} != TcpState::established)
        received_ = seen.tcpi_bytes_received - 1;
}

void CurlCall::have_answer() {
    if (!answered_)
        answered_ = Clock::now();
}

CURLcode CurlCall::perform(UniqueFd connection, int family, Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    const auto limit_ms = static_cast<long>(std::max<std::int64_t>(left.count(), 1));
    set(CURLOPT_TIMEOUT_MS, limit_ms);
    set(CURLOPT_CONNECTTIMEOUT_MS, limit_ms);
    // Nothing is resolved; only the address's family matters, since the connection exists.
    set(CURLOPT_CONNECT_TO, (family == AF_INET6 ? by_ipv6_ : by_ipv4_).get());
    connection_ = std::move(connection);
    error_text_[0] = '\0';
    answered_.reset();
    other_side_ends_ = false;
    unread_.clear();
    received_.reset();
    if (is_reset(connection_.get())) {
        read_rest(connection_.get());
        connection_.reset();
        return CURLE_SEND_ERROR;
    }
    if (curl_multi_add_handle(multi_.get(), handle_.get()) != CURLM_OK)
        return CURLE_FAILED_INIT;
    const CURLcode code = run(deadline);
    curl_multi_remove_handle(multi_.get(), handle_.get());
    connection_.reset();
    // libcurl 8.14 keeps an encrypted connection until the server's close_notify or the next transfer: for a
    // whole period, in which a small server can serve nobody else.
    for (const curl_socket_t fd : open_)
        cut_connection(fd);
    open_.clear();
    return answered_ ? CURLE_OK : code;
}

void CurlCall::hear(UniqueFd connection, Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd waiting{connection.get(), POLLIN, 0};
    (void)::poll(&waiting, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, kCourtesy.count())));
    read_rest(connection.get());
    end_connection(std::move(connection));
}

CURLcode CurlCall::run(Clock::time_point deadline) {
    for (;;) {
        int running = 0;
        if (curl_multi_perform(multi_.get(), &running) != CURLM_OK)
            return CURLE_FAILED_INIT;
        if (running == 0)
            return outcome();
        const auto end = answered_ ? std::min(*answered_ + kCourtesy, deadline) : deadline;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
        if (left <= 0)
            return CURLE_OPERATION_TIMEDOUT;
        if (curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(std::min<std::int64_t>(left, 1000)),
                            nullptr) != CURLM_OK)
            return CURLE_FAILED_INIT;
    }
}

CURLcode CurlCall::outcome() {
    int left = 0;
    CURLcode code = CURLE_FAILED_INIT;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left))
        if (message->msg == CURLMSG_DONE)
            code = message->data.result;
    return code;
}

long CurlCall::status() const {
    return info<long>(handle_.get(), CURLINFO_RESPONSE_CODE);
}

std::string CurlCall::timeout_fault() const {
    const std::string limit = number_text(std::chrono::duration<double>(timeout_).count()) + " s";
    if (tls_ && info<curl_off_t>(handle_.get(), CURLINFO_APPCONNECT_TIME_T) == 0)
        return fmt::format("TLS: connected, but the handshake was not over within {}", limit);
    if (status() != 0)
        return fmt::format("HTTP {}, but the head of the answer did not end within {}", status(), limit);
    return fmt::format("no answer within {}", limit);
}

Finding CurlCall::fault(CURLcode code) const {
    const std::string detail =
        printable(error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(code), 200);
    if (std::string why = tls_fault(handle_.get(), code, detail, host_); !why.empty())
        return {Verdict::failure, std::move(why)};
    if (static_cast<int>(code) == kTooLarge)
        return {Verdict::failure, kHeaderLineTooLong};
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return {Verdict::failure, timeout_fault()};
    case CURLE_GOT_NOTHING:
        return {Verdict::failure, "the connection was closed without an answer"};
    // Libcurl 7.88 returns this for a connection that was reset before the transfer.
    case CURLE_COULDNT_CONNECT:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return {Verdict::failure, fmt::format("the connection was lost: {}", detail)};
    case CURLE_OUT_OF_MEMORY:
        // libcurl before 8.6 also returns this for one header line above 100 KB.
        if (info<curl_off_t>(handle_.get(), CURLINFO_PRETRANSFER_TIME_T) > 0)
            return {Verdict::failure, kHeaderLineTooLong};
        return {Verdict::unknown, "libcurl: out of memory"};
    case CURLE_FAILED_INIT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return {Verdict::unknown, fmt::format("libcurl: {}", detail)};
    default:
        return {Verdict::failure, fmt::format("bad response: {}", detail)};
    }
}

}  // namespace healthcheckd::worker
