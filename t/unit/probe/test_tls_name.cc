// Which hosts a certificate is for.
#include "t/fixture/net/certificates.h"
#include "worker/probe/tls_name.h"

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <memory>
#include <openssl/pem.h>
#include <string>

using namespace healthcheckd::test;
using healthcheckd::worker::is_for_host;

BOOST_AUTO_TEST_SUITE(test_tls_name)

namespace {

using Cert = std::unique_ptr<X509, decltype(&X509_free)>;

Cert read_certificate(const std::string& path) {
    const std::unique_ptr<FILE, decltype(&std::fclose)> file(std::fopen(path.c_str(), "r"), &std::fclose);
    return Cert(PEM_read_X509(file.get(), nullptr, nullptr, nullptr), &X509_free);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_certificate_is_for_its_names_and_the_common_name_only_counts_alone) {
    struct Row {
        CertificateWish wish;
        const char* host;
        bool is_address;
        bool expected;
    };
    Authority authority;
    for (const Row& row :
         {Row{{.names = "DNS:web.test"}, "web.test", false, true},
          Row{{.names = "DNS:web.test"}, "WEB.TEST", false, true},
          Row{{.names = "DNS:web.test"}, "other.test", false, false},
          Row{{.names = "DNS:web.test"}, "127.0.0.1", true, false},
          Row{{.names = "DNS:127.0.0.1"}, "127.0.0.1", true, false},
          Row{{.names = "DNS:web.test."}, "web.test", false, true},
          Row{{.names = "DNS:*.w.test"}, "a.w.test", false, true},
          Row{{.names = "DNS:*.w.test"}, "a_b.w.test", false, true},
          Row{{.names = "DNS:*.w.test"}, "a.b.w.test", false, false},
          Row{{.names = "DNS:*.w.test"}, "w.test", false, false},
          Row{{.names = "DNS:a-b.w.test"}, "a_b.w.test", false, false},
          Row{{.names = "DNS:a_b.w.test"}, "a_b.w.test", false, true},
          Row{{.names = "DNS:web*.w.test"}, "web1.w.test", false, false},
          Row{{.names = "DNS:*"}, "a_b", false, false},
          Row{{.names = "IP:127.0.0.1,IP:::1"}, "127.0.0.1", true, true},
          Row{{.names = "IP:127.0.0.1,IP:::1"}, "::1", true, true},
          Row{{.names = "IP:127.0.0.1,IP:::1"}, "127.0.0.2", true, false},
          // RFC 2818, 3.1: the common name counts when there is no alternative to it.
          Row{{.common_name = "127.0.0.1", .nameless = true}, "127.0.0.1", true, true},
          Row{{.common_name = "127.0.0.1", .nameless = true}, "127.0.0.2", true, false},
          Row{{.common_name = "web.test", .nameless = true}, "web.test", false, true},
          Row{{.common_name = "*.w.test", .nameless = true}, "a.w.test", false, true},
          Row{{.names = "email:root@web.test", .common_name = "web.test"}, "web.test", false, true},
          Row{{.names = "IP:127.0.0.1", .common_name = "web.test"}, "web.test", false, false},
          Row{{.names = "DNS:other.test", .common_name = "127.0.0.1"}, "127.0.0.1", true, false},
          Row{{.names = "DNS:other.test", .common_name = "web.test"}, "web.test", false, false}}) {
        const Cert certificate = read_certificate(authority.issue(row.wish).cert_file);
        BOOST_TEST_REQUIRE(certificate != nullptr);
        BOOST_TEST(is_for_host(certificate.get(), row.host, row.is_address) == row.expected,
                   row.wish.names << " (" << row.wish.common_name << ") for " << row.host);
    }
}

BOOST_AUTO_TEST_SUITE_END()
