// The text of an HTTP/1.1 request. Worker (http).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace healthcheckd::worker {

// Returns `path` as a request target (RFC 9112, 3.2): with a leading '/', and with invalid bytes as %XX.
std::string request_target(std::string_view path);

// Returns `host` with `port` as in the header Host and in a URL: an IPv6 address in brackets and without its interface,
// no port where it is `default_port`.
std::string authority_of(std::string_view host, int port, int default_port);

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string head;
    std::string_view body;  // belongs to the caller
    std::string_view tail;  // static text

    // `headers` replace what the request says by itself, by their names; of those that frame a POST's body only
    // "Transfer-Encoding: chunked" is kept (RFC 9112, 6). `body`: with POST only. `login`: "user:password", or empty.
    HttpRequest(std::string_view method, std::string_view target, std::string_view authority,
                const Headers& headers, std::string_view login, std::string_view body);
};

}  // namespace healthcheckd::worker
