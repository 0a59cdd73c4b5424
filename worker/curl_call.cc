#include "worker/curl_call.h"

#include "common/line_codec.h"
#include "common/number_text.h"
#include "common/tls_fault.h"

#include <cstring>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>
#include <unistd.h>

namespace healthcheckd::worker {

namespace {

constexpr int kTooLarge = 100;  // CURLE_TOO_LARGE: libcurl 8.6
constexpr const char* kHeaderLineTooLong = "bad response: a header line is too long";

// "http://[::1]:80/" by libcurl's own URL parts, so that no character of the host can become another part.
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

CurlCall::CurlCall(const CatConfig& cat, Resolver* resolver)
    : cat_(cat), resolver_(resolver), handle_(curl_easy_init()) {
    if (!handle_)
        throw std::runtime_error("libcurl: no handle");
    const auto limit_ms = static_cast<long>(cat.timeout.count());
    const char* const scheme = cat.https() ? "https" : "http";
    set(CURLOPT_URL, server_url(scheme, cat.host, cat.port).c_str());
    set(CURLOPT_PROTOCOLS_STR, scheme);
    set(CURLOPT_TIMEOUT_MS, limit_ms);
    set(CURLOPT_CONNECTTIMEOUT_MS, limit_ms);
    // At a time-out while a name is looked up, libcurl would otherwise wait for the look-up's own end.
    set(CURLOPT_QUICK_EXIT, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);
    set(CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    set(CURLOPT_ERRORBUFFER, error_text_.data());
    set(CURLOPT_OPENSOCKETFUNCTION, &CurlCall::open_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_CLOSESOCKETFUNCTION, &CurlCall::close_socket);
    set(CURLOPT_CLOSESOCKETDATA, this);
}

curl_socket_t CurlCall::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
    const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    // A family that the kernel lacks is no reason: the name may have an address of the other one.
    if (fd < 0 && errno != EAFNOSUPPORT)
        static_cast<CurlCall*>(self)->socket_error_ = errno;
    if (fd < 0)
        return CURL_SOCKET_BAD;
    static_cast<CurlCall*>(self)->open_.insert(fd);
    return fd;
}

int CurlCall::close_socket(void* self, curl_socket_t fd) {
    static_cast<CurlCall*>(self)->open_.erase(fd);
    return ::close(fd);
}

CURLcode CurlCall::perform() {
    error_text_[0] = '\0';
    socket_error_ = 0;
    const CURLcode code = curl_easy_perform(handle_.get());
    // libcurl 8.14 keeps one that was encrypted until the server says goodbye too, or until the next
    // transfer: a period in which a small server waits for nobody else.
    for (const curl_socket_t fd : open_)
        ::shutdown(fd, SHUT_RDWR);
    return code;
}

long CurlCall::status() const {
    return info<long>(handle_.get(), CURLINFO_RESPONSE_CODE);
}

double CurlCall::milliseconds() const {
    return static_cast<double>(info<curl_off_t>(handle_.get(), CURLINFO_TOTAL_TIME_T)) / 1000;
}

std::string CurlCall::took() const {
    return fmt::format("{:.1f} ms", milliseconds());
}

bool CurlCall::met_itself() const {
    const char* own = info<char*>(handle_.get(), CURLINFO_LOCAL_IP);
    const char* other = info<char*>(handle_.get(), CURLINFO_PRIMARY_IP);
    return own != nullptr && other != nullptr && *own != '\0' && std::strcmp(own, other) == 0 &&
           info<long>(handle_.get(), CURLINFO_LOCAL_PORT) == info<long>(handle_.get(), CURLINFO_PRIMARY_PORT);
}

ProbeResult CurlCall::result(Verdict verdict, std::string message) const {
    ProbeResult result;
    result.verdict = verdict;
    result.value = milliseconds();
    result.limit = static_cast<double>(cat_.timeout.count());
    result.unit = "ms";
    result.message = std::move(message);
    return result;
}

// Throws when names do not resolve because the resolver's files are new ones.
void CurlCall::check_resolver() const {
    if (resolver_ == nullptr)
        return;
    if (const std::string file = resolver_->replaced_file(); !file.empty())
        throw std::runtime_error(file + " was replaced");
}

ProbeResult CurlCall::timeout_fault() const {
    const std::string limit = number_text(std::chrono::duration<double>(cat_.timeout).count()) + " s";
    if (resolver_ != nullptr && info<curl_off_t>(handle_.get(), CURLINFO_NAMELOOKUP_TIME_T) == 0) {
        resolver_->note_hanging();
        check_resolver();
        return result(Verdict::failure,
                      fmt::format("name '{}' was not resolved within {}", printable(cat_.host), limit));
    }
    // CURLINFO_CONNECT_TIME_T stays 0 until TLS is agreed, too.
    if (info<long>(handle_.get(), CURLINFO_NUM_CONNECTS) == 0)
        return result(Verdict::failure, fmt::format("no connection within {}", limit));
    if (cat_.https() && info<curl_off_t>(handle_.get(), CURLINFO_APPCONNECT_TIME_T) == 0)
        return result(Verdict::failure,
                      fmt::format("TLS: connected, but the handshake was not over within {}", limit));
    if (status() != 0)
        return result(Verdict::failure,
                      fmt::format("HTTP {}, but no complete answer within {}", status(), limit));
    return result(Verdict::failure, fmt::format("no answer within {}", limit));
}

ProbeResult CurlCall::connect_fault() const {
    const auto error = static_cast<int>(info<long>(handle_.get(), CURLINFO_OS_ERRNO));
    if (socket_error_ != 0)
        return result(Verdict::unknown, system_error("no socket for the check", socket_error_).text());
    switch (error) {
    case ECONNREFUSED:
        return result(Verdict::failure, "connection refused");
    case EACCES:
    case EPERM:
        return result(Verdict::unknown,
                      system_error("this machine does not allow the connection", error).text());
    case 0:
        return result(Verdict::failure, "no connection");
    default:
        return result(Verdict::failure, system_error("no connection", error).text());
    }
}

ProbeResult CurlCall::fault(CURLcode code) const {
    const std::string detail =
        printable(error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(code), 200);
    if (std::string why = tls_fault(handle_.get(), code, detail, cat_.host); !why.empty())
        return result(Verdict::failure, std::move(why));
    if (static_cast<int>(code) == kTooLarge)
        return result(Verdict::failure, kHeaderLineTooLong);
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return timeout_fault();
    case CURLE_COULDNT_CONNECT:
        return connect_fault();
    case CURLE_COULDNT_RESOLVE_HOST: {
        check_resolver();
        // libcurl's own words when it has no resources for its resolver thread. Those of this worker are all
        // there are while so many earlier look-ups hang, which says of the name what one more would.
        if (detail.find("thread failed") != std::string::npos)
            return resolver_ != nullptr && resolver_->hangs()
                       ? result(Verdict::failure,
                                fmt::format("name '{}' is not resolved in time: earlier look-ups still wait",
                                            printable(cat_.host)))
                       : result(Verdict::unknown, detail);
        return result(Verdict::failure, fmt::format("name '{}' could not be resolved", printable(cat_.host)));
    }
    case CURLE_GOT_NOTHING:
        return result(Verdict::failure, "the connection was closed without an answer");
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return result(Verdict::failure, fmt::format("the connection was lost: {}", detail));
    case CURLE_OUT_OF_MEMORY:
        // libcurl before 8.6 also says so of one header line above 100 KB.
        if (info<curl_off_t>(handle_.get(), CURLINFO_PRETRANSFER_TIME_T) > 0)
            return result(Verdict::failure, kHeaderLineTooLong);
        return result(Verdict::unknown, "libcurl: out of memory");
    case CURLE_FAILED_INIT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return result(Verdict::unknown, fmt::format("libcurl: {}", detail));
    default:
        return result(Verdict::failure, fmt::format("bad response: {}", detail));
    }
}

}  // namespace healthcheckd::worker
