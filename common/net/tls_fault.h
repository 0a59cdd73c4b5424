// What is wrong with the other side's TLS, in plain words. Worker (http), link and mailer.
#pragma once

#include <curl/curl.h>
#include <string>
#include <string_view>

namespace healthcheckd {

// For a transfer of `curl` to `host` that ended with `code` and, from libcurl, `detail`. Empty when it did
// not fail by TLS. Each kind of fault has words of its own: expired, not valid yet, self-signed, of an
// unknown authority, for another name, no TLS on that port, no common version, handshake refused, closed
// during the handshake.
std::string tls_fault(CURL* curl, CURLcode code, std::string_view detail, std::string_view host);

}  // namespace healthcheckd
