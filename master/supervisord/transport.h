// One HTTP POST to supervisord with a deadline, over a unix socket, http or https, after the process that
// receives it has been identified. Link.
#pragma once

#include "common/system/result.h"
#include "common/system/secret.h"
#include "common/wire/protocol_supervisord.h"
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

// Where supervisord listens, from supervisordUrl.
struct Endpoint {
    std::string url;          // for libcurl
    std::string shown;        // for logs, without credentials
    std::string host;         // without []; empty for a unix socket
    std::string socket_path;  // empty: not a unix socket
    std::uint16_t port = 0;
    bool tls = false;
    bool needs_resolver = false;  // the host is neither an address nor localhost

    bool is_unix() const { return !socket_path.empty(); }
};

// Parses unix:///path, http://host:port/RPC2 and https://...; a missing path becomes /RPC2, as for
// supervisorctl. The error says what is wrong with the URL, without showing credentials.
Result<Endpoint> parse_endpoint(std::string_view url);

// Returns the port at which supervisord listens on this machine; 0: not at a local port.
std::uint16_t local_port(std::string_view url);

// Maximum size of an answer in bytes. getAllConfigInfo takes about 2.4 KB for a program.
inline constexpr std::size_t kMaxAnswer = 8u << 20;

struct HttpReply {
    int code = kCallOk;   // CallCode; kCallOk only with HTTP 200
    std::string message;  // the reason, for people and with the URL
    std::string body;
    bool denied = false;  // the socket exists, but this user may not connect (EACCES, EPERM)
    bool lost = false;    // the connector is unusable; `message` says why
};

class SupervisorTransport {
public:
    // Reads everything from disk that later posts need (the system's CA store for https), so that they work
    // in a process that cannot open files. Throws std::runtime_error when there is no CA store. `connect`
    // makes connections to a unix socket, with the given timeout; empty: this process connects itself.
    using Connect = std::function<Connection(std::chrono::milliseconds limit)>;
    SupervisorTransport(Endpoint endpoint, const Secret& user, const Secret& pass, OwnerRule rule,
                        Connect connect = {});
    ~SupervisorTransport();
    SupervisorTransport(const SupervisorTransport&) = delete;
    SupervisorTransport& operator=(const SupervisorTransport&) = delete;

    // Makes one connection and one request, and reads one answer of at most kMaxAnswer bytes, within the
    // timeout `limit`. Follows no redirects and uses no proxy. Sends neither login nor body to a process that
    // OwnerRule rejects, nor to a process on this machine that cannot be identified.
    HttpReply post(const std::string& body, std::chrono::milliseconds limit);

    // Returns the uid of the process that answered last; nullopt: unknown, as on another machine.
    std::optional<uid_t> owner() const { return owner_; }
    // Returns the process that listened at the unix socket of the last connection (unix(7), SO_PEERCRED); 0:
    // in a pid namespace that is not visible from here; kNoListener: there was none.
    pid_t listener() const { return listener_; }

private:
    using Clock = std::chrono::steady_clock;
    HttpReply post_unix(const std::string& body, std::chrono::milliseconds limit);
    HttpReply post_tcp(const std::string& body, std::chrono::milliseconds limit);
    // Called by libcurl before it sends a request; 0: go on.
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
    std::optional<HttpReply> refusal_;     // why the request must not be sent
    std::optional<uid_t> owner_;
    pid_t listener_ = kNoListener;
    std::unique_ptr<Handle> handle_;
};

}  // namespace healthcheckd::master
