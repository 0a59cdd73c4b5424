// One libcurl transfer to the host and port of a cat, bounded in time, and its outcome in plain words. Worker
// (http, tcp).
#pragma once

#include "common/config.h"
#include "worker/probe.h"
#include "worker/resolver.h"

#include <array>
#include <curl/curl.h>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>

namespace healthcheckd::worker {

struct CurlDeleter {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, CurlDeleter>;

class CurlCall {
public:
    // Sets what all transfers have in common: the server, one time limit for everything with name resolution
    // included (timeoutSeconds), no proxy, no signals, no connection or address kept. Throws
    // std::runtime_error when libcurl refuses (no memory, a host that is none).
    CurlCall(const CatConfig& cat, Resolver* resolver);
    CurlCall(const CurlCall&) = delete;
    CurlCall& operator=(const CurlCall&) = delete;

    template <class T> void set(CURLoption option, T value) {
        if (const CURLcode code = curl_easy_setopt(handle_.get(), option, value); code != CURLE_OK)
            throw std::runtime_error(std::string("libcurl: ") + curl_easy_strerror(code));
    }

    // For what sets more than one option.
    CURL* handle() const { return handle_.get(); }

    CURLcode perform();           // no connection is left when it returns
    long status() const;          // HTTP status of the answer, 0 before there is one
    double milliseconds() const;  // of the last transfer
    std::string took() const;     // "3.2 ms"

    // Whether the last transfer's connection led back to itself (see connect_once() of tcp_connect.h): nobody
    // listens.
    bool met_itself() const;

    // The result for a transfer that ended with `code`, not CURLE_OK. A server that cannot be reached or
    // whose answer cannot be used is a failure, and so is a name that does not resolve: the check's target is
    // named by the configuration, and as configured it does not answer. So is TLS that this machine does not
    // accept. Unknown is only what this machine itself could not do (no memory, no descriptor). Throws
    // std::runtime_error when the resolver's files were replaced, so that a newly confined worker can read
    // them.
    ProbeResult fault(CURLcode code) const;

    // A result with duration and time limit filled in.
    ProbeResult result(Verdict verdict, std::string message) const;

private:
    static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
    static int close_socket(void* self, curl_socket_t fd);
    void check_resolver() const;
    ProbeResult timeout_fault() const;
    ProbeResult connect_fault() const;

    const CatConfig& cat_;
    Resolver* const resolver_;  // null: the host is an address
    std::set<curl_socket_t>
        open_;  // what libcurl has not closed; before handle_, which closes some at its end
    std::unique_ptr<CURL, CurlDeleter> handle_;
    std::array<char, CURL_ERROR_SIZE> error_text_{};
    int socket_error_ = 0;  // why this machine had no socket for the last transfer
};

}  // namespace healthcheckd::worker
