#include "common/text/mime.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <ctime>
#include <set>
#include <sstream>

using namespace healthcheckd;

BOOST_AUTO_TEST_SUITE(test_mime)

namespace {

std::size_t longest_line(const std::string& text) {
    std::istringstream in(text);
    std::size_t longest = 0;
    for (std::string line; std::getline(in, line);)
        longest = std::max(longest, line.size() - (line.ends_with('\r') ? 1 : 0));
    return longest;
}

// As a reader does it: CRLF before a blank goes.
std::string unfolded(std::string text) {
    for (std::size_t at = 0; (at = text.find("\r\n ", at)) != std::string::npos;)
        text.erase(at, 2);
    return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(base64_is_that_of_rfc_4648) {
    for (const auto& [plain, encoded] : std::initializer_list<std::pair<std::string, std::string>>{
             {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}})
        BOOST_TEST(base64(plain) == encoded);
}

BOOST_AUTO_TEST_CASE(plain_text_stays_readable) {
    BOOST_TEST(header("Subject", "gateway failed") == "Subject: gateway failed\r\n");
    BOOST_TEST(header("Subject", "") == "Subject: \r\n");
}

BOOST_AUTO_TEST_CASE(long_text_is_folded_and_unfolds_to_itself) {
    const std::string text =
        "word " + std::string(40, 'a') + "  " + std::string(40, 'b') + " c " + std::string(90, 'd') + " end";
    const std::string field = header("Subject", text);
    BOOST_TEST(unfolded(field) == "Subject: " + text + "\r\n");
    BOOST_TEST(longest_line(field) <= 91u);
    // Not a line of blanks alone, which RFC 5322 calls obsolete.
    BOOST_TEST(field.find("\r\n \r\n") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_word_without_end_is_cut_below_998_bytes) {
    BOOST_TEST(longest_line(header("Subject", std::string(3000, 'x'))) <= 998u);
}

BOOST_AUTO_TEST_CASE(other_scripts_become_encoded_words) {
    BOOST_TEST(header("Subject", "\xe6\x94\xaf\xe4\xbb\x98") == "Subject: =?UTF-8?B?5pSv5LuY?=\r\n");
    std::string text;
    for (int i = 0; i < 40; ++i)
        text += "a\xe6\x94\xaf";
    const std::string field = header("Subject", text);
    BOOST_TEST(longest_line(field) <= 78u);
    // Each word by itself is whole characters (RFC 2047, 5): its base64 decodes to text that starts with no
    // continuation byte, which is 10xxxxxx, so the first sextet is not 100000 to 101111 ("g" to "v").
    for (std::size_t at = 0; (at = field.find("=?UTF-8?B?", at)) != std::string::npos; ++at)
        BOOST_TEST((field[at + 10] < 'g' || field[at + 10] > 'v'));
}

BOOST_AUTO_TEST_CASE(what_looks_like_an_encoded_word_is_encoded) {
    BOOST_TEST(header("Subject", "=?x?Q?y?=").find("=?x?") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(no_text_ends_its_field) {
    for (const std::string bad :
         {"x\r\nBcc: a@b", "x\nBcc: a@b", "x\rBcc: a@b", "x\r\n\r\nbody", "x\r\n Bcc: a@b"}) {
        const std::string field = header("Subject", bad);
        BOOST_TEST(field.find_first_of("\r\n") == field.size() - 2, field);
        const std::string list = address_header("To", {bad});
        BOOST_TEST(list.find_first_of("\r\n") == list.size() - 2, list);
    }
    BOOST_TEST(header("Subject", std::string("a\0b", 3)) == "Subject: a b\r\n");
    // Not UTF-8: shown, not passed on.
    BOOST_TEST(header("Subject", "a\xff") == "Subject: a\\xFF\r\n");
}

BOOST_AUTO_TEST_CASE(an_address_is_one_address) {
    BOOST_TEST(bare_address("ops@test.local") == "ops@test.local");
    BOOST_TEST(bare_address("Operations <ops@test.local>") == "ops@test.local");
    BOOST_TEST(bare_address(" ops@test.local ") == "ops@test.local");
    BOOST_TEST(bare_address("<a@b>, <c@d>") == "a@b");
    BOOST_TEST(bare_address("a@b,c@d>\r\nRCPT TO:<e@f") == "e@f");
    BOOST_TEST(address_header("To", {"a@b", "c@d"}) == "To: a@b,\r\n c@d\r\n");
}

BOOST_AUTO_TEST_CASE(quoted_printable_is_that_of_rfc_2045) {
    for (const auto& [plain, encoded] : std::initializer_list<std::pair<std::string, std::string>>{
             {"", ""},
             {"plain text\n", "plain text\r\n"},
             {"a=b", "a=3Db"},
             {"\xe6\x94\xaf", "=E6=94=AF"},
             {"blank at end \nx", "blank at end=20\r\nx"},
             {"tab\t", "tab=09"},
             {"\r", "=0D"},
             {".\n..", "=2E\r\n=2E."},
             {"From me", "=46rom me"}})
        BOOST_TEST(quoted_printable(plain) == encoded);
}

BOOST_AUTO_TEST_CASE(quoted_printable_lines_have_at_most_76_bytes) {
    for (const std::string& unit :
         {std::string("x"), std::string("\xe6\x94\xaf"), std::string("a="), std::string(" ")})
        for (std::size_t length = 70; length < 160; ++length) {
            std::string text;
            while (text.size() < length)
                text += unit;
            BOOST_TEST(longest_line(quoted_printable(text)) <= 76u);
        }
    BOOST_TEST(quoted_printable(std::string(76, 'x')) == std::string(76, 'x'));
}

BOOST_AUTO_TEST_CASE(the_date_has_a_numeric_zone) {
    const char* before = std::getenv("TZ");
    const std::string saved = before != nullptr ? before : "";
    ::setenv("TZ", "CST-8", 1);
    ::tzset();
    const std::string date = mail_date(std::chrono::system_clock::from_time_t(1767337445));
    before != nullptr ? ::setenv("TZ", saved.c_str(), 1) : ::unsetenv("TZ");
    ::tzset();
    BOOST_TEST(date == "Fri, 02 Jan 2026 15:04:05 +0800");
}

BOOST_AUTO_TEST_CASE(message_ids_differ_and_end_with_the_host) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i)
        seen.insert(new_message_id("web1.example"));
    BOOST_TEST(seen.size() == 100u);
    BOOST_TEST(seen.begin()->ends_with("@web1.example>"));
    BOOST_TEST(new_message_id("we b>\r\n..x..").ends_with("@web.x>"));
    BOOST_TEST(new_message_id("").ends_with("@localhost>"));
}

BOOST_AUTO_TEST_SUITE_END()
