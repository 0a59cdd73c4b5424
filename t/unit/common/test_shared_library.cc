#include "common/net/libcurl.h"
#include "common/net/openssl.h"
#include "common/system/shared_library.h"

#include <boost/test/unit_test.hpp>
#include <stdexcept>

using namespace healthcheckd;

BOOST_AUTO_TEST_SUITE(test_shared_library)

namespace {

template <class Act> std::string failure_of(const Act& act) {
    try {
        act();
    } catch (const std::runtime_error& failure) {
        return failure.what();
    }
    return "none";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_library_that_is_missing_is_named) {
    const std::string why = failure_of([] { SharedLibrary("libhealthcheckd-none.so.9"); });
    BOOST_TEST(why.starts_with("cannot be loaded: libhealthcheckd-none.so.9"), why);
}

BOOST_AUTO_TEST_CASE(a_function_that_is_missing_is_named) {
    const SharedLibrary library("libm.so.6");
    double (*cosine)(double) = nullptr;
    library.find(cosine, "cos");
    BOOST_TEST(cosine(0) == 1.0);
    const std::string why = failure_of([&] { library.find(cosine, "kosinus"); });
    BOOST_TEST(why == "libm.so.6 has no function kosinus");
    BOOST_TEST(cosine(0) == 1.0);
}

BOOST_AUTO_TEST_CASE(every_function_in_the_tables_is_there) {
    BOOST_TEST(failure_of([] { libcurl(); }) == "none");
    BOOST_TEST(failure_of([] { openssl(); }) == "none");
    CurlList list;
    append_to(list, "one");
    append_to(list, "two");
    BOOST_TEST(list.get()->next->data == "two");
}

BOOST_AUTO_TEST_SUITE_END()
