// Check type `http`: one request, judged by its status. Configuration child, master and worker.
//
// GET, POST or HEAD by HTTP/1.1, in the clear or by TLS, without redirects, cookies, compression or kept
// connections. The verdict is made when the final head is there, within timeoutSeconds: what comes after it,
// or does not, makes no difference. Of the body up to 4 MB are read for 0.2 s, so that a server that sends a
// page is not cut short. Headers above 64 KB in total are refused as a bad response, so that no server can
// fill the worker's memory or keep it busy.
#pragma once

#include "common/net/tls_client.h"
#include "common/system/path_watch.h"
#include "worker/check/net.h"
#include "worker/probe/curl_call.h"
#include "worker/probe/dialer.h"
#include "worker/probe/probe.h"
#include "worker/probe/timer.h"

#include <memory>
#include <optional>
#include <string>

namespace healthcheckd {

// Inclusive ranges of HTTP status codes.
using StatusRanges = std::vector<std::pair<int, int>>;

struct HttpCheck : SettingsOf<HttpCheck, ServerAddress> {
    std::string method = "GET";
    std::string path = "/";
    bool tls = false;
    bool verify = true;   // with tls
    std::string ca_file;  // empty: the system's
    Secret json;          // request body, a JSON text; empty: none
    Secret headers;       // a JSON object of texts; empty: none
    Secret username;      // basic authentication; empty: none
    Secret password;
    StatusRanges expect_status{{200, 399}};

    void drop_secrets() override { json = headers = username = password = {}; }
};
extern const CheckType kHttpCheck;

// HTTP status codes and ranges of them, 100 to 599, separated by commas: "200,204,300-399".
Result<StatusRanges> parse_status(std::string_view text);
std::string status_text(const StatusRanges& ranges);

namespace worker {

inline constexpr std::size_t kMaxBodyBytes = 4 << 20;
inline constexpr std::size_t kMaxHeaderBytes = 64 << 10;

// `path` as a request target (RFC 9112, 3.2): with a leading '/', and bytes that must not stand there as %XX.
std::string request_target(std::string_view path);

class HttpProbe final : public Probe {
public:
    explicit HttpProbe(const CatConfig& cat) : cat_(cat), http_(cat.own<HttpCheck>()) {}

    // Sets the request up and reads the certificates of authorities. Fails when there are none, or `headers`
    // is not a JSON object of single values.
    Result<void> prepare() override;
    // Success when the status is in expectStatus, failure when not or when no head of an answer ended, which
    // it does also with the connection behind a whole line (in the clear; by TLS anywhere) and with a header
    // that libcurl does not take; also when the connection was lost after the head, or because the request
    // was not read. Otherwise as Dialer::dial() says. Throws std::runtime_error as that, and when a server is
    // not trusted and the file with the authorities was replaced since it was read.
    ProbeResult probe(const ProbeCommand& command) override;

private:
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
    Result<void> prepare_tls();
    void on_head_end();
    Finding judge(long status) const;
    Finding judge_fault(CURLcode code) const;

    const CatConfig& cat_;
    const HttpCheck& http_;
    std::optional<Dialer> dialer_;
    std::optional<TlsClient> tls_;
    std::optional<PathWatch> ca_file_;
    std::unique_ptr<CurlCall> call_;
    CurlList headers_;
    std::size_t body_bytes_ = 0;
    std::size_t header_bytes_ = 0;
    long status_ = 0;  // of the final head, 0 before it has ended
    std::optional<ProbeTimer> timer_;
};

}  // namespace worker
}  // namespace healthcheckd
