#include "common/text/width.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;

BOOST_AUTO_TEST_SUITE(test_text_width)

BOOST_AUTO_TEST_CASE(width_is_what_a_terminal_shows) {
    BOOST_TEST(text_width("") == 0);
    BOOST_TEST(text_width("gateway") == 7);
    BOOST_TEST(text_width("网关") == 4);
    BOOST_TEST(text_width("ＡＢ、한글かな") == 14);
    BOOST_TEST(text_width("µs °é") == 5);
    BOOST_TEST(text_width("e\xcc\x81") == 1);  // e and a combining accent
    for (const char* wide : {"🚀", "🟢", "🪰"})
        BOOST_TEST(text_width(wide) == 2, wide);
    BOOST_TEST(text_width("a\u200bb") == 2);
    // A byte that is no UTF-8 is shown as one sign.
    BOOST_TEST(text_width("a\xff\xe7") == 3);
}

BOOST_AUTO_TEST_CASE(padding_counts_columns_and_cuts_nothing) {
    BOOST_TEST(padded("网关", 6) == "网关  ");
    BOOST_TEST(padded("12", 5, true) == "   12");
    BOOST_TEST(padded("longer", 3) == "longer");
}

BOOST_AUTO_TEST_CASE(clipping_never_exceeds_the_columns_or_tears_a_character) {
    BOOST_TEST(clipped("gateway", 7) == "gateway");
    BOOST_TEST(clipped("gateways", 7) == "gate...");
    BOOST_TEST(clipped("gateway", 3) == "gat");
    BOOST_TEST(clipped("gateway", 0) == "");
    BOOST_TEST(clipped("网关网关网关", 8) == "网关...");  // a third one would be half outside
    for (std::size_t n = 0; n < 16; ++n)
        BOOST_TEST(text_width(clipped("网a关b网c关", n)) <= n);
}

BOOST_AUTO_TEST_SUITE_END()
