#include "common/net/openssl.h"

#include "common/system/shared_library.h"

namespace healthcheckd {

namespace {

static_assert(OPENSSL_VERSION_MAJOR == 3, "look up the names of this OpenSSL's files");

Openssl load_openssl() {
    Openssl functions;
#define HEALTHCHECKD_FIND(name) library.find(functions.name, #name);
    {
        const SharedLibrary library("libcrypto.so.3");
        HEALTHCHECKD_LIBCRYPTO(HEALTHCHECKD_FIND)
    }
    {
        const SharedLibrary library("libssl.so.3");
        HEALTHCHECKD_LIBSSL(HEALTHCHECKD_FIND)
    }
#undef HEALTHCHECKD_FIND
    return functions;
}

}  // namespace

const Openssl& openssl() {
    static const Openssl functions = load_openssl();
    return functions;
}

}  // namespace healthcheckd
