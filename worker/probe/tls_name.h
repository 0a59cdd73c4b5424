// Whether a server's certificate is one for the host that was asked. Worker.
#pragma once

#include <openssl/types.h>
#include <string>

namespace healthcheckd::worker {

// Returns whether `certificate` names `host`: an address when `is_address`, else a name without a dot at its end. By
// RFC 9525, and what libcurl accepts besides, since certificates that monitors have accepted for years must not fail:
// the common name of a certificate without names or addresses (RFC 2818, 3.1), a name with a dot at its end, and a
// wildcard for a label with an underscore.
bool is_for_host(X509* certificate, const std::string& host, bool is_address);

}  // namespace healthcheckd::worker
