// One libcurl transfer over an existing connection, with a deadline, ended as soon as its caller has
// what it needs. Worker (http).
#pragma once

#include "common/system/unique_fd.h"
#include "worker/probe/probe.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <curl/curl.h>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

namespace healthcheckd::worker {

struct CurlDeleter {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, CurlDeleter>;

// Appends `line` to `list`. Throws std::bad_alloc.
void append(CurlList& list, const std::string& line);

class CurlCall {
public:
    using Clock = std::chrono::steady_clock;

    // Sets the options common to all transfers: the server, no proxy, no signals, no name resolution, no
    // persistent connection. Throws std::runtime_error when libcurl fails (no memory, an invalid host).
    CurlCall(bool tls, std::string host, int port, std::chrono::milliseconds timeout);
    CurlCall(const CurlCall&) = delete;
    CurlCall& operator=(const CurlCall&) = delete;

    template <class T> void set(CURLoption option, T value) {
        if (const CURLcode code = curl_easy_setopt(handle_.get(), option, value); code != CURLE_OK)
            throw std::runtime_error(std::string("libcurl: ") + curl_easy_strerror(code));
    }

    // For functions that set several options.
    CURL* handle() const { return handle_.get(); }

    // Transfers until `deadline` and ends the connection. After have_answer() errors are ignored
    // and the result is CURLE_OK: the other side has another 0.2 s, within `deadline`, to
    // complete what it is sending.
    CURLcode perform(UniqueFd connection, int family, Clock::time_point deadline);
    // Sends no request; reads for 0.2 s what the other side sends by itself, for unread().
    void hear(UniqueFd connection, Clock::time_point deadline);
    // To be called from the callbacks of a transfer: the response is complete enough.
    void have_answer();
    // As have_answer(); the other side announced that it closes the connection, and has 0.1 s for that.
    void other_side_ends() { other_side_ends_ = true; }

    long status() const;  // HTTP status received so far; 0: none
    // What the other side had sent over an unencrypted connection (at most 64 KB) and libcurl has not read,
    // after a transfer without a response.
    const std::string& unread() const { return unread_; }

    // The number of bytes that the other side sent over an unencrypted connection before it
    // closed it; nullopt: unknown.
    std::optional<std::uint64_t> received() const { return received_; }

    // Returns the finding for a transfer that ended with `code`, not CURLE_OK. An unusable
    // response is a failure, and so is TLS that this machine does not accept. Unknown is only an
    // error of this machine (memory).
    Finding fault(CURLcode code) const;

private:
    static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
    static int set_up_socket(void* self, curl_socket_t fd, curlsocktype purpose);
    static int close_socket(void* self, curl_socket_t fd);
    CURLcode run(Clock::time_point deadline);
    CURLcode outcome();
    void read_rest(int fd);
    void count_received(int fd);
    std::string timeout_fault() const;

    const bool tls_;
    const std::string host_;
    const std::chrono::milliseconds timeout_;
    UniqueFd connection_;  // for open_socket()
    // Sockets that libcurl has not closed; declared before the handles, whose destructors may close some.
    std::set<curl_socket_t> open_;
    CurlList by_ipv4_, by_ipv6_;  // the address to connect to, for libcurl
    std::unique_ptr<CURL, CurlDeleter> handle_;
    std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi_;
    std::array<char, CURL_ERROR_SIZE> error_text_{};
    std::optional<Clock::time_point> answered_;
    bool other_side_ends_ = false;
    std::string unread_;
    std::optional<std::uint64_t> received_;
};

}  // namespace healthcheckd::worker
