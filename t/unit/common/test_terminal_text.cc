// Sequences for terminals are taken out whole, and nothing else is.
#include "common/text/terminal.h"

#include <boost/test/unit_test.hpp>

using healthcheckd::without_terminal_sequences;

BOOST_AUTO_TEST_SUITE(test_terminal_text)

BOOST_AUTO_TEST_CASE(colours_movements_titles_and_links_are_gone) {
    BOOST_TEST(without_terminal_sequences("\x1b[31mred\x1b[0m and \x1b[1;38;5;200mpink\x1b[m") ==
               "red and pink");
    BOOST_TEST(without_terminal_sequences("a\x1b[2Jb\x1b[10;20Hc\x1b[?25ld") == "abcd");
    BOOST_TEST(without_terminal_sequences("\x1b]0;title\x07text") == "text");
    BOOST_TEST(without_terminal_sequences("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\") == "link");
    BOOST_TEST(without_terminal_sequences("\x1b(B\x1b=x\x1b"
                                          "7y") == "xy");
}

BOOST_AUTO_TEST_CASE(text_that_only_looks_like_one_stays_and_a_torn_one_takes_nothing_behind_it) {
    const std::string plain = "[31m a[0] \xe7\xbd\x91 \t\n%1b[";
    BOOST_TEST(without_terminal_sequences(plain) == plain);
    BOOST_TEST(without_terminal_sequences("\x1b[31\nnext line") == "\nnext line");
    BOOST_TEST(without_terminal_sequences("end\x1b") == "end");
    BOOST_TEST(without_terminal_sequences("end\x1b[12;") == "end");
    const std::string endless = without_terminal_sequences("\x1b]0;" + std::string(5000, 'x'));
    BOOST_TEST(endless.size() >= 5000U);
}

BOOST_AUTO_TEST_SUITE_END()
