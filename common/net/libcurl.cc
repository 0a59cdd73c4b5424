#include "common/net/libcurl.h"

#include "common/system/shared_library.h"

#include <new>
#include <stdexcept>

namespace healthcheckd {

namespace {

constexpr char kName[] = "libcurl.so.4";
static_assert(LIBCURL_VERSION_MAJOR == 7 || LIBCURL_VERSION_MAJOR == 8,
              "look up the name of this libcurl's file");

Libcurl load_libcurl() {
    const SharedLibrary library(kName);
    Libcurl functions;
#define HEALTHCHECKD_FIND(name) library.find(functions.name, "curl_" #name);
    HEALTHCHECKD_LIBCURL(HEALTHCHECKD_FIND)
#undef HEALTHCHECKD_FIND
    if (const CURLcode code = functions.global_init(CURL_GLOBAL_DEFAULT); code != CURLE_OK)
        throw std::runtime_error(std::string(kName) + ": " + functions.easy_strerror(code));
    return functions;
}

}  // namespace

const Libcurl& libcurl() {
    static const Libcurl functions = load_libcurl();
    return functions;
}

void append_to(CurlList& list, const std::string& line) {
    curl_slist* longer = libcurl().slist_append(list.get(), line.c_str());
    if (longer == nullptr)
        throw std::bad_alloc();
    (void)list.release();
    list.reset(longer);
}

}  // namespace healthcheckd
