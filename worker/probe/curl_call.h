// One libcurl transfer over a connection that is there, bounded in time and over when its caller has what it
// wants. Worker (http).
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

// `line` at the end of `list`. Throws std::bad_alloc.
void append(CurlList& list, const std::string& line);

class CurlCall {
public:
    using Clock = std::chrono::steady_clock;

    // Sets what all transfers have in common: the server, no proxy, no signals, no name to resolve, no
    // connection kept. Throws std::runtime_error when libcurl refuses (no memory, a host that is none).
    CurlCall(bool tls, std::string host, int port, std::chrono::milliseconds timeout);
    CurlCall(const CurlCall&) = delete;
    CurlCall& operator=(const CurlCall&) = delete;

    template <class T> void set(CURLoption option, T value) {
        if (const CURLcode code = curl_easy_setopt(handle_.get(), option, value); code != CURLE_OK)
            throw std::runtime_error(std::string("libcurl: ") + curl_easy_strerror(code));
    }

    // For what sets more than one option.
    CURL* handle() const { return handle_.get(); }

    // Transfers until `deadline` and ends the connection. Once the caller has said have_answer(), whatever
    // comes is no error: the other side gets 0.2 s more, within `deadline`, to send the rest of what it wants
    // to send, so that it is not cut short without need, and the outcome is CURLE_OK.
    CURLcode perform(UniqueFd connection, int family, Clock::time_point deadline);
    // Without a request: takes what the other side says by itself within 0.2 s, for unread().
    void hear(UniqueFd connection, Clock::time_point deadline);
    // To be called from the callbacks of a transfer.
    void have_answer();
    // From there too: the other side said that it will end the connection itself, which it gets 0.1 s for.
    void other_side_ends() { other_side_ends_ = true; }

    long status() const;  // HTTP status of what came so far, 0 before there is one
    // What the other side had sent on an unencrypted connection (64 KB of it at most) and libcurl has not
    // read, after a transfer without an answer.
    const std::string& unread() const { return unread_; }

    // How many bytes the other side sent on an unencrypted connection that it then ended; nullopt: not known.
    std::optional<std::uint64_t> received() const { return received_; }

    // For a transfer that ended with `code`, not CURLE_OK: whose answer cannot be used is a failure, and so
    // is TLS that this machine does not accept. Unknown is only what this machine itself could not do
    // (memory).
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
    UniqueFd connection_;           // for open_socket()
    std::set<curl_socket_t> open_;  // what libcurl has not closed; before the handles, which may close some
    CurlList by_ipv4_, by_ipv6_;    // where to connect to, for libcurl
    std::unique_ptr<CURL, CurlDeleter> handle_;
    std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi_;
    std::array<char, CURL_ERROR_SIZE> error_text_{};
    std::optional<Clock::time_point> answered_;
    bool other_side_ends_ = false;
    std::string unread_;
    std::optional<std::uint64_t> received_;
};

}  // namespace healthcheckd::worker
