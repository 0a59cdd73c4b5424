// One HTTP POST to supervisord with a deadline, over a unix socket, http or https. Link.
#pragma once

#include "common/protocol.h"
#include "common/result.h"
#include "common/secret.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace healthcheckd::master {

// Where supervisord listens, taken from supervisordUrl.
struct Endpoint {
    std::string url;          // what libcurl is told
    std::string shown;        // the same for logs, without credentials
    std::string host;         // without []; empty for a unix socket
    std::string socket_path;  // empty: not a unix socket
    std::uint16_t port = 0;
    bool tls = false;
    bool needs_resolver = false;  // the host is neither an address nor localhost

    bool is_unix() const { return !socket_path.empty(); }
};

// Understands unix:///path, http://host:port/RPC2 and https://...; a missing path becomes /RPC2, as for
// supervisorctl. The error says what is wrong with the URL, without showing credentials in it.
Result<Endpoint> parse_endpoint(std::string_view url);

// An answer of more bytes is refused. getAllConfigInfo takes about 2.4 KB for a program.
inline constexpr std::size_t kMaxAnswer = 8u << 20;

struct HttpReply {
    int code = kCallOk;   // CallCode; kCallOk only with HTTP 200
    std::string message;  // why not, in plain words and with the URL
    std::string body;
    bool denied = false;  // the socket is there, but not for this user (EACCES, EPERM)
};

class SupervisorTransport {
public:
    // Reads everything from disk that later posts need (the CA store of the system for https), so that they
    // work in a process that can open no file any more. Throws std::runtime_error when there is no such
    // store.
    SupervisorTransport(Endpoint endpoint, const Secret& user, const Secret& pass);
    ~SupervisorTransport();
    SupervisorTransport(const SupervisorTransport&) = delete;
    SupervisorTransport& operator=(const SupervisorTransport&) = delete;

    const Endpoint& endpoint() const { return endpoint_; }

    // One connection, one request, one answer of at most kMaxAnswer bytes, all within `limit`. No redirect is
    // followed and no proxy is used.
    HttpReply post(const std::string& body, std::chrono::milliseconds limit);

private:
    struct Handle;
    Endpoint endpoint_;
    std::unique_ptr<Handle> handle_;
};

}  // namespace healthcheckd::master
