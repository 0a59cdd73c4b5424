#include "common/net/tls_client.h"

#include "common/net/openssl.h"

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <unistd.h>

namespace healthcheckd {

namespace {

constexpr std::array kCaFiles = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                 "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

template <class T> void set(CURL* curl, CURLoption option, T value) {
    if (const CURLcode code = libcurl().easy_setopt(curl, option, value); code != CURLE_OK)
        throw std::runtime_error(std::string("libcurl: TLS: ") + libcurl().easy_strerror(code));
}

// libcurl reports the oldest error in OpenSSL's queue. For a wrong signature that is an error of the
// cryptographic library, not of the certificate.
int on_verify(int good, X509_STORE_CTX*) {
    if (good == 0)
        openssl().ERR_clear_error();
    return good;
}

}  // namespace

std::string system_ca_file() {
    if (const char* named = std::getenv("SSL_CERT_FILE"); named != nullptr && *named != '\0')
        return named;
    for (const char* file : kCaFiles)
        if (::access(file, R_OK) == 0)
            return file;
    return {};
}

void TlsClient::Free::operator()(X509_STORE* store) const {
    openssl().X509_STORE_free(store);
}

TlsClient::TlsClient(std::unique_ptr<X509_STORE, Free> store) : store_(std::move(store)) {
    // OpenSSL reads openssl.cnf when its first context is created, which would fail later.
    openssl().SSL_CTX_free(openssl().SSL_CTX_new(openssl().TLS_client_method()));
}

TlsClient TlsClient::trusting_all() {
    return TlsClient(nullptr);
}

TlsClient TlsClient::trusting_none() {
    std::unique_ptr<X509_STORE, Free> store(openssl().X509_STORE_new());
    if (!store)
        throw std::bad_alloc();
    return TlsClient(std::move(store));
}

Result<TlsClient> TlsClient::trusting(const std::string& file) {
    if (file.empty())
        return Error{"this system has no file with the certificates of authorities"};
    if (::access(file.c_str(), R_OK) != 0)
        return system_error(file);
    std::unique_ptr<X509_STORE, Free> store(openssl().X509_STORE_new());
    if (!store)
        throw std::bad_alloc();
    if (openssl().X509_STORE_load_file(store.get(), file.c_str()) != 1) {
        openssl().ERR_clear_error();
        return Error{file + ": holds no certificates in PEM form"};
    }
    // As libcurl does: every certificate in the file is trusted, even if it does not end a chain.
    openssl().X509_STORE_set_flags(store.get(), X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
    return TlsClient(std::move(store));
}

CURLcode TlsClient::on_context(CURL*, void* context, void* store) {
    auto* tls = static_cast<SSL_CTX*>(context);
    // One store for all transfers: parsing 150 certificates takes longer than the rest of a handshake.
    openssl().SSL_CTX_set1_cert_store(tls, static_cast<X509_STORE*>(store));
    openssl().SSL_CTX_set_verify(tls, openssl().SSL_CTX_get_verify_mode(tls), &on_verify);
    return CURLE_OK;
}

void TlsClient::apply(CURL* curl) const {
    set(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(curl, CURLOPT_SSL_VERIFYPEER, store_ ? 1L : 0L);
    set(curl, CURLOPT_SSL_VERIFYHOST, store_ ? 2L : 0L);
    // In a resumed session the server does not send its certificate again, which may have expired.
    set(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    // Otherwise libcurl opens the files that it was built with.
    set(curl, CURLOPT_CAINFO, static_cast<char*>(nullptr));
    set(curl, CURLOPT_CAPATH, static_cast<char*>(nullptr));
    if (!store_)
        return;
    set(curl, CURLOPT_SSL_CTX_FUNCTION, &TlsClient::on_context);
    set(curl, CURLOPT_SSL_CTX_DATA, static_cast<void*>(store_.get()));
}

}  // namespace healthcheckd
