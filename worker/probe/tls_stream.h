// A connection within TLS, by OpenSSL, over a connection that exists. Worker (http).
#pragma once

#include "common/net/tls_client.h"
#include "worker/probe/byte_stream.h"
#include "worker/probe/probe.h"

#include <chrono>
#include <memory>
#include <openssl/types.h>
#include <string>

namespace healthcheckd::worker {

class TlsStream final : public ByteStream {
public:
    using Clock = std::chrono::steady_clock;

    // Loads OpenSSL: call before confinement. `tls` must outlive this object. `host`: a name or an address, which the
    // server's certificate must have (tls_name.h) unless `tls` trusts all. Throws std::runtime_error when OpenSSL fails.
    TlsStream(const TlsClient& tls, const std::string& host, std::chrono::milliseconds timeout);
    ~TlsStream() override { close(); }
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    struct Opened {
        bool ok = false;
        bool distrusted = false;  // because of the server's certificate
        Finding finding = {};     // when not ok
    };
    // Ends the previous connection and shakes hands over `connection`, which is non-blocking, until `deadline`. A
    // server with which that fails is a failure; an error of this machine is unknown.
    Opened open(UniqueFd connection, Clock::time_point deadline);

    Moved send(std::string_view bytes, bool more) override;
    Moved receive(char* buffer, std::size_t size) override;
    int fd() const override { return connection_.get(); }
    // Sends the close_notify of RFC 8446, 6.1, without waiting for the server's.
    void close() override;

private:
    struct Free {
        void operator()(SSL_CTX* context) const;
        void operator()(SSL* session) const;
        void operator()(X509* certificate) const;
    };
    std::unique_ptr<SSL, Free> new_session() const;
    Opened named();  // whether the certificate is the host's
    bool verifies() const;
    Opened refused(int error) const;
    Moved outcome(int result, std::size_t bytes);

    std::string host_;  // without the dot that ends a complete name
    bool is_address_ = false;
    std::chrono::milliseconds timeout_;
    std::unique_ptr<SSL_CTX, Free> context_;
    UniqueFd connection_;
    std::unique_ptr<SSL, Free> session_;  // over connection_
    bool failed_ = false;  // session_, in one direction; what has arrived can still be received
};

}  // namespace healthcheckd::worker
