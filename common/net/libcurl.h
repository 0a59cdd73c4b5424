// libcurl, loaded by the processes that use it. Link and mailer.
//
// It brings thirty other libraries. Linked into the program, they would be mapped in every worker, where their page
// tables take as much memory as the worker itself, and their code would be at hand for whoever takes one over.
#pragma once

#include <curl/curl.h>
#include <memory>
#include <string>

namespace healthcheckd {

// clang-format off
#define HEALTHCHECKD_LIBCURL(FUNCTION) \
    FUNCTION(easy_cleanup) FUNCTION(easy_escape) FUNCTION(easy_getinfo) FUNCTION(easy_init) \
    FUNCTION(easy_perform) FUNCTION(easy_setopt) FUNCTION(easy_strerror) FUNCTION(easy_unescape) FUNCTION(free) \
    FUNCTION(global_init) FUNCTION(multi_add_handle) FUNCTION(multi_cleanup) FUNCTION(multi_fdset) \
    FUNCTION(multi_info_read) FUNCTION(multi_init) FUNCTION(multi_perform) FUNCTION(multi_remove_handle) \
    FUNCTION(multi_timeout) FUNCTION(slist_append) FUNCTION(slist_free_all) FUNCTION(url) FUNCTION(url_cleanup) \
    FUNCTION(url_get) FUNCTION(url_set)
// clang-format on

// The functions of libcurl, by their names without "curl_".
struct Libcurl {
#define HEALTHCHECKD_MEMBER(name) decltype(&::curl_##name) name = nullptr;
    HEALTHCHECKD_LIBCURL(HEALTHCHECKD_MEMBER)
#undef HEALTHCHECKD_MEMBER
};

// Loads and initializes libcurl at the first call, which must come before confinement. Throws std::runtime_error when
// that fails.
const Libcurl& libcurl();

// Frees what libcurl has made, for std::unique_ptr, which calls nothing when there is nothing: a process that never
// used libcurl must not load it at its end.
struct LibcurlFree {
    void operator()(CURL* handle) const { libcurl().easy_cleanup(handle); }
    void operator()(curl_slist* list) const { libcurl().slist_free_all(list); }
    void operator()(CURLU* url) const { libcurl().url_cleanup(url); }
    void operator()(char* text) const { libcurl().free(text); }
};
using CurlHandle = std::unique_ptr<CURL, LibcurlFree>;
using CurlList = std::unique_ptr<curl_slist, LibcurlFree>;
using CurlUrl = std::unique_ptr<CURLU, LibcurlFree>;
using CurlText = std::unique_ptr<char, LibcurlFree>;

// Appends a copy of `line`. Throws std::bad_alloc.
void append_to(CurlList& list, const std::string& line);

}  // namespace healthcheckd
