// Explains TLS errors of the other side in plain words. Worker (http), link and mailer.
#pragma once

#include <curl/curl.h>
#include <string>
#include <string_view>

namespace healthcheckd {

// Explains what OpenSSL found wrong with the certificate of `host`: one of the X509_V codes.
std::string tls_certificate_fault(long verified, std::string_view host);

// Explains a handshake that failed, by OpenSSL's reason, of which libcurl keeps only the text.
std::string tls_handshake_fault(std::string_view detail);

// Explains a transfer of `curl` to `host` that ended with `code` and libcurl's error text `detail`.
// Returns "" when TLS was not the cause. Each cause has its own text: expired, not valid yet,
// self-signed, unknown authority, another name, no TLS on that port, no common version, handshake
// rejected, closed during the handshake.
std::string tls_fault(CURL* curl, CURLcode code, std::string_view detail, std::string_view host);

}  // namespace healthcheckd
