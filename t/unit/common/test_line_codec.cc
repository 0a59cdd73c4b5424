#include "common/text/printable.h"
#include "common/wire/line_codec.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

using namespace healthcheckd;
using namespace std::string_literals;

BOOST_AUTO_TEST_SUITE(test_line_codec)

namespace {

std::string every_byte() {
    std::string all;
    for (int byte = 0; byte < 256; ++byte)
        all += static_cast<char>(byte);
    return all;
}

std::string without_newline(std::string_view line) {
    BOOST_TEST_REQUIRE(line.ends_with('\n'));
    line.remove_suffix(1);
    return std::string(line);
}

// Does the line hold one word under key "w", and nothing more?
bool reads_as_word(const std::string& line, std::string& word) {
    return LineReader(line).word("w", word).ok();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_line_reads_as_its_grammar_says) {
    LineWriter out("kind");
    out.number("n", 7).integer("i", -5).real("r", 431.25).word("w", "a b%\n").message("50 % of it");
    BOOST_TEST(out.line() == "kind n=7 i=-5 r=431.25 w=a%20b%25%0A msg=50 %25 of it\n");
}

BOOST_AUTO_TEST_CASE(every_byte_survives_in_a_word_and_in_a_message) {
    LineWriter out("kind");
    out.word("w", every_byte()).message(every_byte());
    const std::string line = without_newline(out.line());
    BOOST_TEST(line.find('\n') == std::string::npos);
    BOOST_TEST(line.find('\0') == std::string::npos);
    std::string word, message;
    BOOST_TEST(LineReader(line).word("w", word).message(message).ok());
    BOOST_TEST((word == every_byte()));
    BOOST_TEST((message == every_byte()));
}

BOOST_AUTO_TEST_CASE(numbers_survive_at_their_limits) {
    constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
    constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
    LineWriter out("kind");
    out.number("n", kMax).integer("i", kMin).number("small", 4294967295).integer("int", -2147483648LL);
    const std::string line = without_newline(out.line());
    std::uint64_t n = 0;
    std::int64_t i = 0;
    std::uint32_t small = 0;
    int narrow = 0;
    BOOST_TEST(
        LineReader(line).number("n", n).integer("i", i).number("small", small).integer("int", narrow).ok());
    BOOST_TEST(n == kMax);
    BOOST_TEST(i == kMin);
    BOOST_TEST(small == 4294967295);
    BOOST_TEST(narrow == std::numeric_limits<int>::min());
}

BOOST_AUTO_TEST_CASE(a_number_that_is_not_finite_is_written_as_zero) {
    for (const double value : {HUGE_VAL, -HUGE_VAL, std::nan("")})
        BOOST_TEST(LineWriter("k").real("r", value).line() == "k r=0\n");
}

BOOST_AUTO_TEST_CASE(numbers_are_read_strictly) {
    std::uint64_t n = 0;
    std::uint32_t small = 0;
    std::int64_t i = 0;
    int narrow = 0;
    double r = 0;
    for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x10", "1.0", "1e3", "1a", "18446744073709551616"})
        BOOST_TEST(!LineReader("k n="s + text).number("n", n).ok(), text);
    for (const char* text : {"", "-1", "4294967296"})
        BOOST_TEST(!LineReader("k n="s + text).number("n", small).ok(), text);
    for (const char* text : {"", "-", "+1", "9223372036854775808", "-9223372036854775809", "1.5"})
        BOOST_TEST(!LineReader("k i="s + text).integer("i", i).ok(), text);
    for (const char* text : {"", "2147483648", "-2147483649"})
        BOOST_TEST(!LineReader("k i="s + text).integer("i", narrow).ok(), text);
    for (const char* text :
         {"", "nan", "inf", "-inf", "infinity", "1e999", "-1e999", "0x1p3", "1,5", "1.5.5"})
        BOOST_TEST(!LineReader("k r="s + text).real("r", r).ok(), text);
    BOOST_TEST(LineReader("k r=-1.5e-3").real("r", r).ok());
    BOOST_TEST(r == -1.5e-3);
}

BOOST_AUTO_TEST_CASE(a_word_is_read_strictly) {
    std::string word;
    for (const std::string& line :
         {"k w=%"s,    "k w=%4"s, "k w=%4g"s,   "k w=%0a"s,   "k w=a\tb"s, "k w=a\0b"s, "k w=\x7f"s,
          "k w=\xff"s, "k W=a"s,  "k ww=a"s,    "k w"s,       "k"s,        "k "s,       "k w=a "s,
          "k  w=a"s,   " k w=a"s, "k w=a x=b"s, "k w=a w=a"s, ""s,         "w=a"s})
        BOOST_TEST(!reads_as_word(line, word), line);
    BOOST_TEST(reads_as_word("k w=", word));
    BOOST_TEST(word == "");
    BOOST_TEST(reads_as_word("k w=a=b", word));
    BOOST_TEST(word == "a=b");
}

BOOST_AUTO_TEST_CASE(a_message_is_read_strictly) {
    std::string text;
    for (const std::string& line : {"k msg"s, "k"s, "k message=x"s, "k msg=%"s, "k msg=%2"s, "k msg=a\nb"s,
                                    "k msg=a\0b"s, "k msg=\x1b[2J"s, "k msg=\x7f"s})
        BOOST_TEST(!LineReader(line).message(text).ok(), line);
    BOOST_TEST(LineReader("k msg=  two  blanks ").message(text).ok());
    BOOST_TEST(text == "  two  blanks ");
    BOOST_TEST(LineReader("k msg=").message(text).ok());
    BOOST_TEST(text == "");
}

BOOST_AUTO_TEST_CASE(keys_must_come_in_order_and_all_of_them) {
    std::uint64_t a = 0, b = 0;
    const auto accepts = [&](std::string_view line) {
        return LineReader(line).number("a", a).number("b", b).ok();
    };
    BOOST_TEST(accepts("k a=1 b=2"));
    for (const char* line : {"k b=2 a=1", "k a=1", "k b=2", "k a=1 b=2 c=3", "k a=1 b=2 ", "k a=1  b=2",
                             "k a=1 b=", "k =1 b=2", "k a1 b=2", "k\ta=1 b=2"})
        BOOST_TEST(!accepts(line), line);
}

BOOST_AUTO_TEST_CASE(once_wrong_a_reader_stays_wrong) {
    std::uint64_t a = 1, b = 1;
    LineReader in("k x=5 b=6");
    in.number("a", a);
    in.number("b", b);
    BOOST_TEST(!in.ok());
    BOOST_TEST(b == 1);
}

BOOST_AUTO_TEST_CASE(a_line_too_long_to_be_one_message_is_refused) {
    std::string text;
    const std::string head = "k msg=";
    BOOST_TEST(LineReader(head + std::string(kMaxLine - 1 - head.size(), 'x')).message(text).ok());
    BOOST_TEST(!LineReader(head + std::string(kMaxLine - head.size(), 'x')).message(text).ok());
}

BOOST_AUTO_TEST_CASE(a_message_is_cut_to_what_fits_and_stays_readable) {
    for (const char filler : {'x', '%', '\n', '\xff'}) {
        LineWriter out("k");
        out.number("n", 1).message(std::string(1 << 20, filler));
        const std::string line = without_newline(out.line());
        BOOST_TEST(line.size() <= kMaxLine - 1);
        BOOST_TEST(line.size() > kMaxLine - 4);
        std::uint64_t n = 0;
        std::string text;
        BOOST_TEST(LineReader(line).number("n", n).message(text).ok());
        BOOST_TEST(text.size() >= (kMaxLine - 20) / 3);
        BOOST_TEST(text.find_first_not_of(filler) == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_word_that_does_not_fit_makes_the_line_empty_not_torn) {
    BOOST_TEST(LineWriter("k").word("w", std::string(kMaxLine, 'x')).line() == "");
    BOOST_TEST(LineWriter("k").word("w", std::string(kMaxLine / 3, '\n')).line() == "");
    BOOST_TEST(LineWriter("k").word("w", std::string(kMaxLine, 'x')).number("n", 1).message("m").line() ==
               "");
    LineWriter full("k");
    full.word("w", std::string(kMaxLine - 1 - 4, 'x'));
    BOOST_TEST(full.line().size() == kMaxLine);
    BOOST_TEST(LineWriter("k").word("w", std::string(kMaxLine - 4, 'x')).line() == "");
}

BOOST_AUTO_TEST_CASE(asking_twice_for_the_line_gives_the_same) {
    LineWriter out("k");
    out.number("n", 1);
    const std::string first(out.line());
    BOOST_TEST(out.line() == first);
}

BOOST_AUTO_TEST_CASE(printable_leaves_text_alone_and_shows_what_a_terminal_would_obey) {
    BOOST_TEST(printable("plain text, größer, 测试, 🐈") == "plain text, größer, 测试, 🐈");
    BOOST_TEST(printable("a\nb\r\tc\x1b[2J\x7f") == "a\\x0Ab\\x0D\\x09c\\x1B[2J\\x7F");
    BOOST_TEST(printable("nul\0!"s) == "nul\\x00!");
    BOOST_TEST(printable("\xc2\x9b") == "\\xC2\\x9B");  // C1: CSI
    // Not UTF-8: a lone continuation byte, a cut sequence, an overlong '/', a surrogate, beyond U+10FFFF.
    BOOST_TEST(printable("\x80") == "\\x80");
    BOOST_TEST(printable("\xe6\xb5") == "\\xE6\\xB5");
    BOOST_TEST(printable("\xc0\xaf") == "\\xC0\\xAF");
    BOOST_TEST(printable("\xed\xa0\x80") == "\\xED\\xA0\\x80");
    BOOST_TEST(printable("\xf4\x90\x80\x80") == "\\xF4\\x90\\x80\\x80");
}

BOOST_AUTO_TEST_CASE(printable_is_bounded) {
    BOOST_TEST(printable(std::string(100, 'x'), 10) == "xxxxxxxxxx...");
    BOOST_TEST(printable(std::string(10, 'x'), 10) == "xxxxxxxxxx");
    BOOST_TEST(printable(std::string(1 << 20, '\n')).size() <= 1000 + 3 + 3);
}

BOOST_AUTO_TEST_SUITE_END()
