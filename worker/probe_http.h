// Check type `http`: one request, judged by its status. Worker.
//
// GET, POST or HEAD by HTTP/1.1, in the clear or by TLS, without redirects, cookies, compression or kept
// connections. The whole answer must come within timeoutSeconds. A body above 1 MB or headers above 64 KB in
// total are refused as a bad response, so that no server can fill the worker's memory or keep it busy.
#pragma once

#include "common/tls_client.h"
#include "worker/curl_call.h"
#include "worker/path_watch.h"
#include "worker/probe.h"

#include <memory>
#include <optional>
#include <string>

namespace healthcheckd::worker {

inline constexpr std::size_t kMaxBodyBytes = 1 << 20;
inline constexpr std::size_t kMaxHeaderBytes = 64 << 10;

// `path` as a request target (RFC 9112, 3.2): with a leading '/', and bytes that must not stand there as %XX.
std::string request_target(std::string_view path);

class HttpProbe final : public Probe {
public:
    explicit HttpProbe(const CatConfig& cat) : cat_(cat) {}

    // Sets the request up and reads the certificates of authorities. Fails when there are none, or `headers`
    // is not a JSON object of single values.
    Result<void> prepare() override;
    // Success when the status is in expectStatus, failure when not or when there is no whole answer. Throws
    // std::runtime_error when a server is not trusted and the file with the authorities was replaced since it
    // was read.
    ProbeResult probe(const ProbeCommand& command) override;

private:
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
    Result<void> prepare_tls();
    bool expected(long status) const;

    const CatConfig& cat_;
    std::optional<Resolver> resolver_;
    std::optional<TlsClient> tls_;
    std::optional<PathWatch> ca_file_;
    std::unique_ptr<CurlCall> call_;
    CurlList headers_;
    std::size_t body_bytes_ = 0;
    std::size_t header_bytes_ = 0;
};

}  // namespace healthcheckd::worker
