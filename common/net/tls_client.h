// TLS for libcurl's transfers in a process that can open no file any more. Worker (http), link and mailer.
#pragma once

#include "common/system/result.h"

#include <curl/curl.h>
#include <memory>
#include <openssl/types.h>
#include <string>

namespace healthcheckd {

// The file with the certificates of the authorities that this system trusts: $SSL_CERT_FILE, as for OpenSSL's
// own programs, else where Debian, Fedora, SUSE or Alpine have it. Empty when there is none.
std::string system_ca_file();

class TlsClient {
public:
    // Trusts the authorities whose certificates are in `file` (PEM). Reads it and whatever else OpenSSL wants
    // from a disk: call it before confinement. Fails when there is no certificate in the file.
    static Result<TlsClient> trusting(const std::string& file);
    // Takes any certificate, or none at all. Before confinement, too.
    static TlsClient trusting_all();
    static TlsClient trusting_none();

    // Sets `curl` up: TLS 1.2 at least, the certificate looked at in every transfer and valid for the host's
    // name. This object must outlive the transfers. Throws std::runtime_error when libcurl refuses.
    void apply(CURL* curl) const;

private:
    struct Free {
        void operator()(X509_STORE* store) const;
    };
    explicit TlsClient(std::unique_ptr<X509_STORE, Free> store);
    static CURLcode on_context(CURL* curl, void* context, void* store);

    std::unique_ptr<X509_STORE, Free> store_;  // nullptr: any certificate will do
};

}  // namespace healthcheckd
