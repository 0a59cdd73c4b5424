// OpenSSL, loaded by the processes that use it: see libcurl.h. Worker (http with TLS),
// link, mailer, and actions for programs with very long names.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace healthcheckd {

// clang-format off
#define HEALTHCHECKD_LIBCRYPTO(FUNCTION) \
    FUNCTION(ERR_clear_error) FUNCTION(ERR_peek_error) FUNCTION(ERR_reason_error_string) FUNCTION(EVP_Digest) \
    FUNCTION(EVP_sha256) FUNCTION(GENERAL_NAMES_free) FUNCTION(HMAC) FUNCTION(OPENSSL_sk_num) \
    FUNCTION(OPENSSL_sk_value) FUNCTION(X509_STORE_free) FUNCTION(X509_STORE_load_file) \
    FUNCTION(X509_STORE_new) FUNCTION(X509_STORE_set_flags) FUNCTION(X509_check_host) \
    FUNCTION(X509_check_ip_asc) FUNCTION(X509_free) FUNCTION(X509_get_ext_d2i) FUNCTION(X509_verify_cert_error_string)
#define HEALTHCHECKD_LIBSSL(FUNCTION) \
    FUNCTION(SSL_CTX_ctrl) FUNCTION(SSL_CTX_free) FUNCTION(SSL_CTX_get_verify_mode) FUNCTION(SSL_CTX_new) \
    FUNCTION(SSL_CTX_set1_cert_store) FUNCTION(SSL_CTX_set_alpn_protos) FUNCTION(SSL_CTX_set_options) \
    FUNCTION(SSL_CTX_set_verify) FUNCTION(SSL_connect) FUNCTION(SSL_ctrl) FUNCTION(SSL_free) \
    FUNCTION(SSL_get1_peer_certificate) FUNCTION(SSL_get_error) FUNCTION(SSL_get_verify_result) FUNCTION(SSL_new) \
    FUNCTION(SSL_read_ex) FUNCTION(SSL_set_fd) FUNCTION(SSL_shutdown) FUNCTION(SSL_write_ex) FUNCTION(TLS_client_method)
// clang-format on

// The functions of libssl and libcrypto, by their names. Macros of the headers name functions that are not in here:
// call what they stand for.
struct Openssl {
#define HEALTHCHECKD_MEMBER(name) decltype(&::name) name = nullptr;
    HEALTHCHECKD_LIBCRYPTO(HEALTHCHECKD_MEMBER)
    HEALTHCHECKD_LIBSSL(HEALTHCHECKD_MEMBER)
#undef HEALTHCHECKD_MEMBER
};

// Loads OpenSSL at the first call, which must come before confinement. Throws std::runtime_error when that fails.
const Openssl& openssl();

}  // namespace healthcheckd
