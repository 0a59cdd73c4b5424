#include "worker/probe/tls_name.h"

#include "common/net/openssl.h"

#include <memory>

namespace healthcheckd::worker {

namespace {

struct Free {
    void operator()(GENERAL_NAMES* names) const { openssl().GENERAL_NAMES_free(names); }
};

// Returns whether it has a name or an address as an alternative to its common name.
bool has_alternatives(const X509* certificate) {
    const std::unique_ptr<GENERAL_NAMES, Free> names(static_cast<GENERAL_NAMES*>(
        openssl().X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    if (!names)
        return false;
    const auto* stack = reinterpret_cast<const OPENSSL_STACK*>(names.get());
    for (int i = 0; i < openssl().OPENSSL_sk_num(stack); ++i) {
        const int type = static_cast<const GENERAL_NAME*>(openssl().OPENSSL_sk_value(stack, i))->type;
        if (type == GEN_DNS || type == GEN_IPADD)
            return true;
    }
    return false;
}

// Returns a name that a wildcard names if it names `name`, whose first label has an underscore, and nothing else does.
std::string without_underscore(const std::string& name) {
    constexpr std::size_t kLongestLabel = 63;
    return std::string(kLongestLabel, 'x') + name.substr(name.find('.'));
}

}  // namespace

bool is_for_host(X509* certificate, const std::string& host, bool is_address) {
    const bool alternatives = has_alternatives(certificate);
    if (is_address && alternatives)
        return openssl().X509_check_ip_asc(certificate, host.c_str(), 0) == 1;
    const unsigned flags =
        X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | (alternatives ? X509_CHECK_FLAG_NEVER_CHECK_SUBJECT : 0);
    const auto names = [&](const std::string& name) {
        return openssl().X509_check_host(certificate, name.c_str(), name.size(), flags, nullptr) == 1;
    };
    if (names(host))
        return true;
    if (is_address)
        return false;
    const std::size_t dot = host.find('.');
    const bool underscore = dot != std::string::npos && host.find('_') < dot;
    return names(host + '.') || (underscore && names(without_underscore(host)));
}

}  // namespace healthcheckd::worker
