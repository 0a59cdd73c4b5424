// One HTTP POST to supervisord with a deadline, over a unix socket, http or https, once it is known whose
// process takes it. Link.
#pragma once

#include "common/system/result.h"
#include "common/system/secret.h"
#include "common/wire/protocol.h"
#include "master/supervisord/connector.h"
#include "master/trust/supervisor_owner.h"
#include "master/trust/tcp_owner.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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

// The port at which supervisord listens on this machine; 0: not at a port of it.
std::uint16_t local_port(std::string_view url);

// An answer of more bytes is refused. getAllConfigInfo takes about 2.4 KB for a program.
inline constexpr std::size_t kMaxAnswer = 8u << 20;

struct HttpReply {
    int code = kCallOk;   // CallCode; kCallOk only with HTTP 200
    std::string message;  // why not, in plain words and with the URL
    std::string body;
    bool denied = false;  // the socket is there, but not for this user (EACCES, EPERM)
    bool lost = false;    // the connector is of no more use; `message` says why
};

class SupervisorTransport {
public:
    // Reads everything from disk that later posts need (the CA store of the system for https), so that they
    // work in a process that can open no file any more. Throws std::runtime_error when there is no such
    // store. `connect` makes the connections to a unix socket, within the limit it is given; none: this
    // process does.
    using Connect = std::function<Connection(std::chrono::milliseconds limit)>;
    SupervisorTransport(Endpoint endpoint, const Secret& user, const Secret& pass, OwnerRule rule,
                        Connect connect = {});
    ~SupervisorTransport();
    SupervisorTransport(const SupervisorTransport&) = delete;
    SupervisorTransport& operator=(const SupervisorTransport&) = delete;

    // One connection, one request, one answer of at most kMaxAnswer bytes, all within `limit`. No redirect is
    // followed and no proxy is used. Neither login nor body is sent to a process that OwnerRule does not
    // believe, nor to one on this machine that cannot be known.
    HttpReply post(const std::string& body, std::chrono::milliseconds limit);

    // Whose process answered last; nullopt: not known, as on another machine.
    std::optional<uid_t> owner() const { return owner_; }
    // Which process listened at the unix socket of the last connection (unix(7), SO_PEERCRED); 0: in a pid
    // namespace that is not seen from here; kNoListener: there was none.
    pid_t listener() const { return listener_; }

private:
    using Clock = std::chrono::steady_clock;
    HttpReply post_unix(const std::string& body, std::chrono::milliseconds limit);
    HttpReply post_tcp(const std::string& body, std::chrono::milliseconds limit);
    // What libcurl asks before it sends a request: 0 to go on.
    static int before_request(void* self, char* remote, char* local, int remote_port, int local_port);
    void judge(const TcpEnds& ends);

    struct Handle;
    Endpoint endpoint_;
    OwnerRule rule_;
    Connect connect_;
    std::string login_;                    // base64 of "user:password", over a unix socket
    std::optional<TcpOwners> tcp_owners_;  // over TCP
    std::chrono::milliseconds limit_{0};   // of the call under way
    Clock::time_point deadline_{};         // of the call under way
    std::optional<HttpReply> refusal_;     // why it must not be sent
    std::optional<uid_t> owner_;
    pid_t listener_ = kNoListener;
    std::unique_ptr<Handle> handle_;
};

}  // namespace healthcheckd::master
