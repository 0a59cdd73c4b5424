#include "common/text/template.h"
#include "master/mailer/text/notice_text.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::master;

BOOST_AUTO_TEST_SUITE(test_notice_template)

namespace {

std::string filled(std::string_view text, std::size_t max = 1000) {
    return fill_template(
        text, [](std::string_view name) { return "<" + std::string(name) + ">"; }, max);
}

}  // namespace

BOOST_AUTO_TEST_CASE(fields_are_filled_and_doubled_braces_are_braces) {
    BOOST_TEST(filled("{program} on {host}: {{{value}}}") == "<program> on <host>: {<value>}");
    BOOST_TEST(filled("plain") == "plain");
    BOOST_TEST(filled("") == "");
}

BOOST_AUTO_TEST_CASE(what_is_filled_in_is_no_template_again) {
    BOOST_TEST(fill_template(
                   "{message}", [](std::string_view) { return "{program}"; }, 100) == "{program}");
}

BOOST_AUTO_TEST_CASE(a_filled_text_is_cut_at_its_limit) {
    BOOST_TEST(filled("{program}{program}", 12) == "<program><pr");
    BOOST_TEST(filled("a网b", 4) == "a网");
    BOOST_TEST(filled("a网b", 3) == "a");
}

BOOST_AUTO_TEST_CASE(mistakes_are_named) {
    const auto complaint = [](std::string_view text) {
        return check_template(text).error().what;
    };
    BOOST_TEST(complaint("{progam}") == "has the unknown field {progam}; did you mean 'program'?");
    BOOST_TEST(complaint("{program").find("'{' without a '}'") != std::string::npos);
    BOOST_TEST(complaint("{a{b}}").find("'{' without a '}'") != std::string::npos);
    BOOST_TEST(complaint("program}").find("'}' without a '{'") != std::string::npos);
    BOOST_TEST(complaint("{}").find("unknown field {}") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_field_has_a_value) {
    Telling telling;
    telling.notice.program = telling.notice.cat = telling.notice.type = telling.notice.host =
        telling.notice.address = telling.notice.platform = telling.notice.state = telling.notice.unit =
            telling.notice.message = telling.notice.output = telling.notice.action_message =
                telling.notice.log.text = "x";
    telling.notice.pid = 7;
    telling.notice.verdicts = {{{}, "failure", 1, "MB", "x"}};
    for (const std::string_view name : template_fields())
        BOOST_TEST(field_of(telling, name) != "", name);
}

BOOST_AUTO_TEST_SUITE_END()
