// Check type `http`: one request, judged by the response's status. Configuration child, master and worker.
//
// Sends GET, POST or HEAD with HTTP/1.1, plain or over TLS, without redirects, cookies, compression or
// persistent connections. The verdict depends only on the final head, which must arrive within
// timeoutSeconds. Up to 4 MB of the body are read for 0.2 s, so that the server can complete its
// response. Headers of more than 64 KB in total are a bad response, so that no server can fill the
// worker's memory or keep it busy.
#pragma once

#include "common/net/tls_client.h"
#include "common/system/path_watch.h"
#include "worker/check/net.h"
#include "worker/probe/dialer.h"
#include "worker/probe/http_exchange.h"
#include "worker/probe/probe.h"
#include "worker/probe/timer.h"
#include "worker/probe/tls_stream.h"

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
    std::string ca_file;  // empty: the system's certificates
    Secret json;          // request body, a JSON text; empty: none
    Secret headers;       // a JSON object of strings; empty: none
    Secret username;      // basic authentication; empty: none
    Secret password;
    StatusRanges expect_status{{200, 399}};

    void drop_secrets() override { json = headers = username = password = {}; }
};
extern const CheckType kHttpCheck;

// Parses HTTP status codes and ranges, 100 to 599, separated by commas: "200,204,300-399".
Result<StatusRanges> parse_status(std::string_view text);
std::string status_text(const StatusRanges& ranges);

namespace worker {

class HttpProbe final : public Probe {
public:
    explicit HttpProbe(const CatConfig& cat) : cat_(cat), http_(cat.own<HttpCheck>()) {}

    // Sets up the request and loads the CA certificates. Fails when there are none, or when `headers` is not
    // a JSON object of scalars.
    Result<void> prepare() override;
    // Success when the status is in expectStatus. Failure when it is not, or when no head was completed; the
    // end of the connection after a whole line also completes a head. A connection lost after the head, or
    // because the request was not read, makes no difference. Otherwise as Dialer::dial(). Throws
    // std::runtime_error as Dialer::dial(), and when a server is not trusted and the file with the CA
    // certificates was replaced since it was read.
    ProbeResult probe(const ProbeCommand& command) override;

private:
    Result<void> prepare_tls(const std::string& host);
    ProbeResult exchange(ByteStream& stream, ProbeTimer& timer) const;
    Finding judge(const HttpExchange& exchange, const HttpExchange::Answer& answer,
                  const ProbeTimer& timer) const;

    const CatConfig& cat_;
    const HttpCheck& http_;
    std::optional<Dialer> dialer_;
    std::optional<HttpRequest> request_;
    std::optional<PathWatch> ca_file_;
    std::optional<TlsClient> tls_;
    std::unique_ptr<TlsStream> tls_stream_;
};

}  // namespace worker
}  // namespace healthcheckd
