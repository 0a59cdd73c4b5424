// Calls of webhooks: their bodies and sizes, signatures against an independent computation, answers.
#include "master/mailer/delivery/redactor.h"
#include "master/mailer/text/webhook_message.h"
#include "t/fixture/basics.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace healthcheckd::test;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(test_webhook)

namespace {

using std::chrono::system_clock;

constexpr WebhookFormat kChats[] = {WebhookFormat::slack, WebhookFormat::wecom, WebhookFormat::dingtalk,
                                    WebhookFormat::feishu};
constexpr char kSecret[] = "SEC+a/secret=with signs&两";
const auto kNow = system_clock::time_point(std::chrono::milliseconds(1'599'360'473'123));

Telling telling(const std::string& program = "网关", const std::string& message = "rss 1031 MB >= 1024 MB") {
    Telling one;
    one.notice.id = "1-2";
    one.notice.at = kNow;
    one.notice.host = "host1";
    one.notice.program = program;
    one.notice.cat = "cat1";
    one.notice.type = "mem";
    one.notice.message = message;
    one.notice.action = "restart";
    one.notice.action_ok = true;
    return one;
}

std::vector<Telling> many(std::size_t count, const std::string& message = "connection refused") {
    std::vector<Telling> tellings;
    for (std::size_t i = 0; i < count; ++i)
        tellings.push_back(telling("program" + std::to_string(i), message));
    return tellings;
}

// What people read of a call.
std::string text_of(WebhookFormat format, const std::string& call) {
    const json body = json::parse(call);
    if (format == WebhookFormat::slack)
        return body.at("text");
    if (format == WebhookFormat::feishu) {
        BOOST_TEST(body.at("msg_type") == "text");
        return body.at("content").at("text");
    }
    BOOST_TEST(body.at("msgtype") == "text");
    return body.at("text").at("content");
}

// As t/fixture/mail/webhooks.py computes it, after the services' published code.
std::string python_sign(const std::string& format, const std::string& timestamp, const std::string& body) {
    const TempDir dir;
    CommandResult result =
        run_command({"/usr/bin/python3", (source_dir() / "t/fixture/mail/webhooks.py").string(), "sign",
                     format, kSecret, timestamp, dir.write("body", body)});
    BOOST_TEST_REQUIRE(result.status == 0, result.output);
    result.output.pop_back();
    return result.output;
}

}  // namespace

BOOST_AUTO_TEST_CASE(json_has_every_event_with_its_fields_and_what_was_lost) {
    std::vector<Telling> tellings = many(2);
    tellings[1].reminder = true;
    tellings[1].repeats = 4;
    tellings[1].notice.verdicts = {{kNow, "failure", 1.5, "MB", "too much"}};
    const json call = json::parse(compose_call(WebhookFormat::json, tellings, 3));
    BOOST_TEST(call.at("version") == 1);
    BOOST_TEST(call.at("host") == "host1");
    BOOST_TEST(call.at("lost") == 3);
    BOOST_TEST(call.at("subject") == "[healthcheckd] host1: 2 checks failed");
    BOOST_TEST_REQUIRE(call.at("events").size() == 2U);
    const json& event = call["events"][1];
    BOOST_TEST(event.at("program") == "program1");
    BOOST_TEST(event.at("event") == "failed");
    BOOST_TEST(event.at("at") == "2020-09-06T02:47:53.123Z");
    BOOST_TEST(event.at("atMs") == 1'599'360'473'123);
    BOOST_TEST(event.at("reminder") == true);
    BOOST_TEST(event.at("repeats") == 4);
    BOOST_TEST(event.at("action").at("ok") == true);
    BOOST_TEST(event.at("verdicts").at(0).at("value") == 1.5);
    BOOST_TEST(!event.contains("life"));
    BOOST_TEST(!event.contains("channel"));
}

BOOST_AUTO_TEST_CASE(a_chat_gets_subject_and_details_of_one_event) {
    for (const WebhookFormat format : kChats) {
        const std::string text = text_of(format, compose_call(format, {telling()}, 2));
        BOOST_TEST_CONTEXT(to_string(format) << ": " << text) {
            BOOST_TEST(text.starts_with("[healthcheckd] host1: 网关 mem check failed\n"));
            BOOST_TEST(has(text, format == WebhookFormat::slack ? "rss 1031 MB &gt;= 1024 MB"
                                                                : "rss 1031 MB >= 1024 MB"));
            BOOST_TEST(has(text, "restart"));
            BOOST_TEST(has(text, "2 earlier notices were lost"));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_chat_gets_a_line_for_each_of_several_events) {
    for (const WebhookFormat format : kChats) {
        const std::string text = text_of(format, compose_call(format, many(5), 0));
        for (int i = 0; i < 5; ++i)
            BOOST_TEST(has(text, "program" + std::to_string(i) + " mem check failed (cat1)"), text);
        BOOST_TEST(!has(text, "more"), text);
    }
}

BOOST_AUTO_TEST_CASE(text_from_outside_means_nothing_to_slack) {
    const std::string text = text_of(WebhookFormat::slack,
                                     compose_call(WebhookFormat::slack, {telling("<!channel>", "a & b")}, 0));
    BOOST_TEST(has(text, "&lt;!channel&gt;"), text);
    BOOST_TEST(has(text, "a &amp; b"), text);
    BOOST_TEST(!has(text, "<"), text);
}

BOOST_AUTO_TEST_CASE(text_from_outside_calls_nobody) {
    for (const WebhookFormat format :
         {WebhookFormat::feishu, WebhookFormat::wecom, WebhookFormat::dingtalk}) {
        const std::string text = text_of(
            format,
            compose_call(format, {telling("gateway", R"(a <at user_id="all">x</AT> <@all> b < 3)")}, 0));
        BOOST_TEST(!has(text, "<at"), text);
        BOOST_TEST(!has(text, "<@"), text);
        BOOST_TEST(has(text, R"((at user_id="all">x(/AT> (@all> b < 3)"), text);
    }
}

// WeCom refuses a text of more than 2,048 bytes, DingTalk and Feishu a call of more than 20,000.
BOOST_AUTO_TEST_CASE(no_call_is_longer_than_its_service_takes_whatever_it_has_to_say) {
    for (const std::string fill : {"x", "\"", "\t", "网", "&", "\xff"}) {
        std::string long_text;
        while (long_text.size() < 9000)
            long_text += fill;
        Telling big = telling("gateway", long_text.substr(0, 3000));
        big.notice.output = long_text;
        big.notice.log = {"stderr", long_text};
        for (const std::vector<Telling>& tellings :
             {std::vector<Telling>{big}, many(500), many(500, long_text.substr(0, 3000))})
            for (const WebhookFormat format : kChats) {
                const std::string call =
                    sign_call(format, "https://h/", kSecret, compose_call(format, tellings, 1), kNow).body;
                const std::string text = text_of(format, call);
                BOOST_TEST_CONTEXT(to_string(format) << ", " << tellings.size() << " of '" << fill << "'") {
                    BOOST_TEST(call.size() <= 20'000U);
                    BOOST_TEST((format != WebhookFormat::wecom || text.size() <= 2'048));
                    BOOST_TEST(
                        has(text, tellings.size() == 1 ? "gateway mem check failed" : "500 checks failed"));
                    BOOST_TEST((tellings.size() == 1 || has(text, " more: see healthcheckd's log")));
                    BOOST_TEST(has(text, "1 earlier notice was lost"));
                }
            }
    }
}

BOOST_AUTO_TEST_CASE(dingtalk_is_signed_in_the_url_as_published) {
    const std::string body = compose_call(WebhookFormat::dingtalk, {telling()}, 0);
    const std::string url = "https://oapi.dingtalk.com/robot/send?access_token=K";
    const SignedCall call = sign_call(WebhookFormat::dingtalk, url, kSecret, body, kNow);
    BOOST_TEST(call.body == body);
    BOOST_TEST(call.headers.empty());
    std::string sign;
    for (const char c : python_sign("dingtalk", "1599360473123", body))
        sign += c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : std::string(1, c);
    BOOST_TEST(call.url == url + "&timestamp=1599360473123&sign=" + sign);
    BOOST_TEST(sign_call(WebhookFormat::dingtalk, "https://h/x", kSecret, body, kNow)
                   .url.starts_with("https://h/x?timestamp="));
}

BOOST_AUTO_TEST_CASE(feishu_is_signed_in_the_body_as_published) {
    const std::string body = compose_call(WebhookFormat::feishu, {telling()}, 0);
    const SignedCall call = sign_call(WebhookFormat::feishu, "https://h/x", kSecret, body, kNow);
    BOOST_TEST(call.url == "https://h/x");
    json expected = json::parse(body);
    expected["timestamp"] = "1599360473";
    expected["sign"] = python_sign("feishu", "1599360473", body);
    BOOST_TEST(json::parse(call.body) == expected);
}

BOOST_AUTO_TEST_CASE(json_is_signed_in_headers_over_time_and_body) {
    const std::string body = compose_call(WebhookFormat::json, {telling()}, 0);
    const SignedCall call = sign_call(WebhookFormat::json, "https://h/x", kSecret, body, kNow);
    BOOST_TEST(call.url == "https://h/x");
    BOOST_TEST(call.body == body);
    BOOST_TEST(call.headers == (std::vector<std::string>{"X-Healthcheckd-Timestamp: 1599360473",
                                                         "X-Healthcheckd-Signature: " +
                                                             python_sign("json", "1599360473", body)}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(without_a_secret_and_where_there_is_none_nothing_is_signed) {
    for (const WebhookFormat format : {WebhookFormat::json, WebhookFormat::slack, WebhookFormat::wecom,
                                       WebhookFormat::dingtalk, WebhookFormat::feishu}) {
        const bool signs = format != WebhookFormat::slack && format != WebhookFormat::wecom;
        for (const char* secret : {"", kSecret}) {
            const SignedCall call = sign_call(format, "https://h/", secret, R"({"a":1})", kNow);
            const bool as_is = call.url == "https://h/" && call.body == R"({"a":1})" && call.headers.empty();
            BOOST_TEST(as_is == (!signs || *secret == '\0'), to_string(format));
        }
    }
}

BOOST_AUTO_TEST_CASE(answers_are_taken_as_the_services_mean_them) {
    using enum WebhookFormat;
    struct Row {
        WebhookFormat format;
        long status;
        std::string body;
        Outcome outcome;
        bool rest = false;
    };
    const Row rows[] = {
        {json, 200, "", Outcome::sent},
        {json, 204, "", Outcome::sent},
        {json, 200, R"({"errcode":1})", Outcome::sent},
        {json, 301, "", Outcome::rejected},
        {json, 401, "", Outcome::rejected},
        {json, 404, "no such hook", Outcome::rejected},
        {json, 408, "", Outcome::deferred},
        {json, 429, "", Outcome::deferred, true},
        {json, 500, "", Outcome::deferred},
        {json, 503, "", Outcome::deferred},
        {slack, 200, "ok", Outcome::sent},
        {slack, 403, "invalid_token", Outcome::rejected},
        {slack, 429, "", Outcome::deferred, true},
        {wecom, 200, R"({"errcode":0,"errmsg":"ok"})", Outcome::sent},
        {wecom, 200, R"({"errcode":93000,"errmsg":"invalid webhook url"})", Outcome::rejected},
        {wecom, 200, R"({"errcode":45009,"errmsg":"api freq out of limit"})", Outcome::deferred, true},
        {wecom, 200, R"({"errcode":-1,"errmsg":"system busy"})", Outcome::deferred, true},
        {wecom, 200, "<html>log in here</html>", Outcome::deferred},
        {wecom, 200, "", Outcome::deferred},
        {wecom, 200, R"({"errcode":"0"})", Outcome::deferred},
        {dingtalk, 200, R"({"errcode":310000,"errmsg":"sign not match"})", Outcome::rejected},
        {dingtalk, 200, R"({"errcode":130101,"errmsg":"send too fast"})", Outcome::deferred, true},
        {feishu, 200, R"({"StatusCode":0,"StatusMessage":"success","code":0,"msg":"success"})",
         Outcome::sent},
        {feishu, 200, R"({"StatusCode":0,"StatusMessage":"success"})", Outcome::sent},
        {feishu, 200, R"({"code":19021,"msg":"sign match fail"})", Outcome::rejected},
        {feishu, 200, R"({"code":11232,"msg":"frequency limited"})", Outcome::deferred, true},
        {feishu, 200, R"({"code":9499,"msg":"too many request","data":{}})", Outcome::deferred, true},
        {feishu, 200, R"({"code":9499,"msg":"Bad Request","data":{}})", Outcome::rejected},
        {feishu, 502, "", Outcome::deferred},
    };
    for (const Row& row : rows)
        BOOST_TEST_CONTEXT(to_string(row.format) << ' ' << row.status << ' ' << row.body) {
            const CallVerdict verdict = judge_answer(row.format, row.status, row.body);
            BOOST_TEST((verdict.outcome == row.outcome));
            BOOST_TEST(verdict.retry_slowly == row.rest);
            BOOST_TEST(verdict.why.empty() == (row.outcome == Outcome::sent));
        }
}

BOOST_AUTO_TEST_CASE(an_answer_is_told_in_its_own_words_and_cannot_break_a_line) {
    BOOST_TEST(
        judge_answer(WebhookFormat::dingtalk, 200, R"({"errcode":310000,"errmsg":"sign\nnot match"})").why ==
        "error 310000: sign\\x0Anot match");
    const std::string why = judge_answer(WebhookFormat::json, 404, "no\r\nhook" + std::string(5000, 'x')).why;
    BOOST_TEST(why.starts_with("HTTP 404: no\\x0D\\x0Ahook"), why);
    BOOST_TEST(why.size() < 300U);
}

BOOST_AUTO_TEST_CASE(an_answer_is_told_without_what_is_a_key) {
    SecretStore secrets;
    WebhookConfig hook;
    hook.url = secrets.put(SecretStore::kMail, "https://h.test/services/T0/K%65y-part?token=abcdef12&x=1");
    hook.secret = secrets.put(SecretStore::kMail, "s3c");
    hook.headers = secrets.put(SecretStore::kMail, R"({"X-Key":"hdr-key","Authorization":"Bearer b34rer"})");
    const Redactor mask(hook);
    for (const std::string shown :
         {"Cannot POST /services/T0/K%65y-part?token=abcdef12&x=1", "no /services/T0/Key-part",
          "part Key-part", R"(no \/services\/T0\/K%65y-part)", "abcdef12", "key s3c", "hdr-key",
          "Bearer b34rer", "b34rer?"}) {
        const std::string text = mask(shown);
        for (const char* key : {"services", "y-part", "abcdef12", "s3c", "hdr-key", "b34rer"})
            BOOST_TEST(!has(text, key), text);
        BOOST_TEST(has(text, "********"), text);
    }
    BOOST_TEST(mask("HTTP 404: no such hook at h.test") == "HTTP 404: no such hook at h.test");
    // Masked before it is cut: the rest of a key would be left.
    const std::string why =
        judge_answer(WebhookFormat::json, 404, std::string(195, 'x') + "hdr-key", [&](std::string text) {
            return mask(std::move(text));
        }).why;
    BOOST_TEST(!has(why, "hdr"), why);
}

BOOST_AUTO_TEST_SUITE_END()
