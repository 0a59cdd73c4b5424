// A connection within TLS, by libcurl's CONNECT_ONLY: it shakes hands over an existing connection and then moves bytes.
// Worker (http).
#pragma once

#include "common/net/tls_client.h"
#include "worker/probe/byte_stream.h"
#include "worker/probe/probe.h"

#include <array>
#include <chrono>
#include <curl/curl.h>
#include <memory>
#include <set>
#include <string>

namespace healthcheckd::worker {

class TlsStream final : public ByteStream {
public:
    using Clock = std::chrono::steady_clock;

    // `tls` must outlive this object. Throws std::runtime_error when libcurl fails (no memory, an invalid host).
    TlsStream(const TlsClient& tls, std::string host, int port, std::chrono::milliseconds timeout);
    ~TlsStream() override { close(); }
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    struct Opened {
        bool ok = false;
        bool distrusted = false;  // because of the server's certificate
        Finding finding = {};     // when not ok
    };
    // Ends the previous connection and shakes hands over `connection`, which is non-blocking and of `family`, until
    // `deadline`. A server with which that fails is a failure; an error of this machine is unknown.
    Opened open(UniqueFd connection, int family, Clock::time_point deadline);

    Moved send(std::string_view bytes, bool more) override;
    Moved receive(char* buffer, std::size_t size) override;
    int fd() const override { return open_.empty() ? -1 : *open_.begin(); }
    void close() override;

private:
    struct Free {
        void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
        void operator()(curl_slist* list) const { curl_slist_free_all(list); }
        void operator()(CURLU* url) const { curl_url_cleanup(url); }
    };
    using List = std::unique_ptr<curl_slist, Free>;

    static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
    static int close_socket(void* self, curl_socket_t fd);
    static List connect_to(const char* address);
    static std::string url(const std::string& host, int port);
    template <class T> void set(CURLoption option, T value);
    CURLcode shake_hands(Clock::time_point deadline);
    Finding fault(CURLcode code) const;
    Moved outcome(CURLcode code, std::size_t bytes) const;

    const std::string host_;
    const std::chrono::milliseconds timeout_;
    UniqueFd connection_;  // for open_socket()
    // Sockets that libcurl has not closed; declared before the handles, whose destructors may close some.
    std::set<curl_socket_t> open_;
    List by_ipv4_ = connect_to("::127.0.0.1:");
    List by_ipv6_ = connect_to("::[::1]:");
    std::unique_ptr<CURL, Free> handle_{curl_easy_init()};
    std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi_{curl_multi_init(), &curl_multi_cleanup};
    bool added_ = false;  // handle_ to multi_
    std::array<char, CURL_ERROR_SIZE> error_text_{};
};

}  // namespace healthcheckd::worker
