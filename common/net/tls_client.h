// Whom a client of TLS trusts, in a process that can no longer open files. Worker (http), link and mailer.
#pragma once

#include "common/net/libcurl.h"
#include "common/system/result.h"

#include <memory>
#include <openssl/types.h>
#include <string>

namespace healthcheckd {

// Returns the file with the CA certificates that this system trusts: $SSL_CERT_FILE, as for OpenSSL's own
// programs, else the file of Debian, Fedora, SUSE or Alpine. "" when there is none.
std::string system_ca_file();

class TlsClient {
public:
    // Trusts the CA certificates in `file` (PEM). Reads it and all other files that OpenSSL needs: call
    // before confinement. Fails when the file has no certificate.
    static Result<TlsClient> trusting(const std::string& file);
    // Accept any certificate, or none. Call before confinement, too.
    static TlsClient trusting_all();
    static TlsClient trusting_none();

    // Configures `curl`: TLS 1.2 or later, the certificate verified in every transfer and valid for the
    // host's name. This object must outlive the transfers. Throws std::runtime_error when libcurl fails.
    void apply(CURL* curl) const;

    // The certificates that are trusted; nullptr: any certificate is accepted.
    X509_STORE* store() const { return store_.get(); }

private:
    struct Free {
        void operator()(X509_STORE* store) const;
    };
    explicit TlsClient(std::unique_ptr<X509_STORE, Free> store);
    static CURLcode on_context(CURL* curl, void* context, void* store);

    std::unique_ptr<X509_STORE, Free> store_;
};

}  // namespace healthcheckd
