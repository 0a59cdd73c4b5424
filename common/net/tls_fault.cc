#include "common/net/tls_fault.h"

#include "common/net/libcurl.h"
#include "common/net/openssl.h"
#include "common/text/printable.h"

#include <spdlog/fmt/fmt.h>

namespace healthcheckd {

std::string tls_certificate_fault(long verified, std::string_view host) {
    switch (verified) {
    case X509_V_OK:
    case X509_V_ERR_UNSPECIFIED:  // the chain is valid; libcurl compares the name itself
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return fmt::format("TLS: the server's certificate is not for '{}'", printable(host));
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "TLS: the server's certificate, or one above it, has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "TLS: the server's certificate, or one above it, is not valid yet";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "TLS: the server's certificate is self-signed";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:  // another certificate has the same name
        return "TLS: the server's certificate is of an authority that is not trusted here";
    default:
        return fmt::format("TLS: the server's certificate is refused: {}",
                           openssl().X509_verify_cert_error_string(verified));
    }
}

std::string tls_handshake_fault(std::string_view detail) {
    struct Row {
        std::string_view reason;
        std::string_view words;
    };
    constexpr Row kRows[] = {
        {"wrong version number", "TLS: what listens there does not speak TLS"},
        {"packet length too long", "TLS: what listens there does not speak TLS"},
        {"http request", "TLS: what listens there does not speak TLS"},
        {"alert protocol version", "TLS: the server knows no version of TLS from 1.2 on"},
        {"unsupported protocol", "TLS: the server knows no version of TLS from 1.2 on"},
        {"handshake failure", "TLS: the server refuses the handshake"},
        {"unexpected eof", "TLS: the connection was closed during the handshake"},
        {"SSL_ERROR_SYSCALL", "TLS: the connection was closed during the handshake"},
        {"Connection reset", "TLS: the connection was closed during the handshake"},
        {"Broken pipe", "TLS: the connection was closed during the handshake"},
    };
    for (const Row& row : kRows)
        if (detail.find(row.reason) != std::string_view::npos)
            return std::string(row.words);
    return fmt::format("TLS: the handshake failed: {}", printable(detail));
}

std::string tls_fault(CURL* curl, CURLcode code, std::string_view detail, std::string_view host) {
    if (code == CURLE_SSL_CONNECT_ERROR)
        return tls_handshake_fault(detail);
    if (code != CURLE_PEER_FAILED_VERIFICATION)
        return {};
    long verified = X509_V_OK;
    libcurl().easy_getinfo(curl, CURLINFO_SSL_VERIFYRESULT, &verified);
    return tls_certificate_fault(verified, host);
}

}  // namespace healthcheckd
