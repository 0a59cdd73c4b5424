// Single values: what each key takes, what it refuses, and with which words.
#include "t/fixture/checks.h"
#include "t/fixture/config_text.h"

#include "common/config/json.h"
#include "common/config/texts.h"
#include "common/config/values.h"
#include "common/text/suggest.h"
#include "master/config/keys.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::master;
using namespace std::chrono_literals;
using healthcheckd::test::complaints_about;

BOOST_AUTO_TEST_SUITE(test_config_values)

namespace {

enum class Section { config, mail, webhook, cat };

// A configuration to set keys in, and what the getter says after setting one.
struct Bench {
    Config config;
    CatConfig cat;
    ChannelConfig mail{kMailChannel}, webhook{kWebhookChannel, "a"};

    // The canonical text after the value was taken, or "! complaint".
    std::string set(Section section, std::string_view name, std::string_view text) {
        ChannelConfig* const channel = section == Section::mail      ? &mail
                                       : section == Section::webhook ? &webhook
                                                                     : nullptr;
        return set(channel,
                   channel != nullptr           ? find_key(*channel->kind, name)
                   : section == Section::config ? find_key(master::Section::config, name)
                                                : find_key(master::Section::cat, name, cat.type),
                   text);
    }
    std::string set(ChannelConfig* channel, const KnownKey& known, std::string_view text) {
        const Key* key = known.key;
        BOOST_REQUIRE_MESSAGE(key != nullptr, "no such key; to be set to " << text);
        if (known.type != nullptr && known.type != cat.type)
            cat.set_type(*known.type);
        Result<std::string> canonical(std::string{text});
        if (key->canonical != nullptr)
            canonical = key->canonical(text);
        if (!canonical)
            return "! " + canonical.error().what;
        if (Result<void> done = key->set(KeyTarget{&config, &cat, 0, channel}, *canonical); !done)
            return "! " + done.error().what;
        std::string buffer;
        return std::string(key->get(KeySource{&config, &cat, channel}, buffer));
    }
    bool takes(const KnownKey& known, std::string_view text) {
        ChannelConfig* const channel = known.kind == &kMailChannel      ? &mail
                                       : known.kind == &kWebhookChannel ? &webhook
                                                                        : nullptr;
        return set(channel, known, text)[0] != '!';
    }
    bool takes(Section section, std::string_view name, std::string_view text) {
        return set(section, name, text)[0] != '!';
    }
};

const std::string kManyBytes(300, 'a');

}  // namespace

BOOST_AUTO_TEST_CASE(numbers_that_could_be_read_in_two_ways_are_refused) {
    for (const char* text :
         {"010",   "0x10", "1e3", ".nan", ".inf", "+5", " 5", "5 ",  "5x",    "5.",  ".5",
          "1_000", "1,5",  "--5", "-",    "",     "٣",  "00", "0b1", "1.5.2", "NaN", "inf"}) {
        BOOST_TEST(!parse_whole(text, 0, 1'000'000), text);
        BOOST_TEST(!parse_decimal(text, -1e6, 1e6), text);
    }
    BOOST_TEST(!parse_whole("-1", 0, 10));
    BOOST_TEST(!parse_whole("18446744073709551616", 0, ~0ull));
    BOOST_TEST(!parse_whole("1.0", 0, 10));
    BOOST_TEST(*parse_whole("18446744073709551615", 0, ~0ull) == ~0ull);
    BOOST_TEST(*parse_decimal("0.5", 0, 1) == 0.5);
    BOOST_TEST(*parse_decimal("0", 0, 1) == 0.0);
}

BOOST_AUTO_TEST_CASE(seconds_have_fractions_and_bounds) {
    BOOST_TEST((*parse_seconds("0.25", 100ms, 1h) == 250ms));
    BOOST_TEST((*parse_seconds("5", 100ms, 1h) == 5000ms));
    BOOST_TEST(parse_seconds("0.05", 100ms, 1h).error().what == "0.05 is out of range: 0.1 to 3600 seconds");
    Bench b;
    for (const char* name : {"periodSeconds", "timeoutSeconds", "execTimeoutSeconds"}) {
        BOOST_TEST(b.set(Section::cat, name, "0.1") == "0.1", name);
        BOOST_TEST(!b.takes(Section::cat, name, "0.09"), name);
        BOOST_TEST(!b.takes(Section::cat, name, "31536001"), name);
    }
    BOOST_TEST(b.set(Section::cat, "initialDelaySeconds", "0") == "0");
    BOOST_TEST(!b.takes(Section::cat, "initialDelaySeconds", "-1"));
}

BOOST_AUTO_TEST_CASE(flags_in_any_case_and_nothing_else) {
    for (const char* text : {"true", "True", "YES", "on", "1"})
        BOOST_TEST(*parse_flag(text), text);
    for (const char* text : {"false", "False", "NO", "off", "0"})
        BOOST_TEST(!*parse_flag(text), text);
    for (const char* text : {"2", "01", "-1", "y", "", "truee"})
        BOOST_TEST(!parse_flag(text), text);
}

BOOST_AUTO_TEST_CASE(limits_of_each_number) {
    Bench b;
    BOOST_TEST(b.set(Section::cat, "maxCpu", "90%") == "90");
    BOOST_TEST(b.set(Section::cat, "maxCpu", "250.5") == "250.5");
    BOOST_TEST(!b.takes(Section::cat, "maxCpu", "90%%"));
    BOOST_TEST(!b.takes(Section::cat, "maxCpu", "0"));
    BOOST_TEST(!b.takes(Section::cat, "maxMem", "0"));
    BOOST_TEST(!b.takes(Section::cat, "maxMem", "1024MB"));
    BOOST_TEST(b.set(Section::cat, "maxMem", "0.5") == "0.5");
    for (const char* name : {"failureThreshold", "successThreshold"}) {
        BOOST_TEST(b.set(Section::cat, name, "1000000") == "1000000", name);
        BOOST_TEST(!b.takes(Section::cat, name, "0"), name);
        BOOST_TEST(!b.takes(Section::cat, name, "1000001"), name);
    }
    BOOST_TEST(b.set(Section::cat, "port", "65535") == "65535");
    BOOST_TEST(!b.takes(Section::cat, "port", "65536"));
    BOOST_TEST(!b.takes(Section::mail, "port", "0"));
    BOOST_TEST(b.set(Section::config, "logBackups", "0") == "0");
    BOOST_TEST(!b.takes(Section::config, "logMaxBytes", "9999"));
    BOOST_TEST(!b.takes(Section::cat, "mincontinueRun", "0"));
}

BOOST_AUTO_TEST_CASE(actions_and_status_codes_are_lists) {
    Bench b;
    BOOST_TEST(b.set(Section::cat, "action", "email , kill") == "kill,email");
    BOOST_TEST(!b.takes(Section::cat, "action", "kill,kill"));
    BOOST_TEST(!b.takes(Section::cat, "action", ""));
    BOOST_TEST(!b.takes(Section::cat, "action", "kill,"));
    BOOST_TEST(b.set(Section::cat, "action", "Restart,EMAIL, WebHook:Ops, WeChat") ==
               "restart,email,webhook:Ops,webhook:wechat");
    for (const char* text : {"none", "None", "NONE"})
        BOOST_TEST(b.set(Section::cat, "action", text) == "none", text);
    BOOST_TEST(b.set(Section::cat, "action", "none,email") == "! 'none' stands alone");
    BOOST_TEST(b.set(Section::cat, "expectStatus", "200, 204,300-399") == "200,204,300-399");
    for (const char* text : {"", "99", "600", "300-200", "200-", "-200", "2xx", "200-300-400", "200,,204"})
        BOOST_TEST(!b.takes(Section::cat, "expectStatus", text), text);
    BOOST_TEST(complaints_about(test::cat_of("expectStatus: [200, 300-399]")) == "");
}

BOOST_AUTO_TEST_CASE(words_are_taken_in_any_case) {
    Bench b;
    BOOST_TEST(b.set(Section::cat, "type", "HTTP") == "http");
    BOOST_TEST(b.set(Section::cat, "memType", "Rss") == "rss");
    BOOST_TEST(b.set(Section::cat, "pidGet", "Supervisor") == "supervisor");
    BOOST_TEST(b.set(Section::mail, "tls", "STARTTLS") == "starttls");
    BOOST_TEST(b.set(Section::config, "sandbox", "Off") == "off");
    BOOST_TEST(b.set(Section::config, "workerUids", "OFF") == "off");
    BOOST_TEST(b.set(Section::config, "supervisordUrl", "HTTP://localhost:9001/RPC2") ==
               "http://localhost:9001/RPC2");
    BOOST_TEST(b.set(Section::config, "supervisordUrl", "Unix:///run/S.sock") == "unix:///run/S.sock");
    BOOST_TEST(b.set(Section::webhook, "url", "HTTPS://Hooks.example.org/A") ==
               "https://Hooks.example.org/A");
}

BOOST_AUTO_TEST_CASE(the_name_of_who_has_an_address_is_left_out) {
    Bench b;
    BOOST_TEST(b.set(Section::mail, "to_list", "Ops Team <a@b.c>, d@e.f,<g@h.i>, 值班 <j@k.l>") ==
               "a@b.c,d@e.f,g@h.i,j@k.l");
    BOOST_TEST(b.set(Section::mail, "from", "healthcheckd <a@b.c>") == "a@b.c");
    for (const char* text : {"Ops <a@b.c", "Ops a@b.c>", "<a> <a@b.c>", "Ops <a@>", "Ops <>", "a@b.c <x>",
                             "Ops <a@b.c> x", "Ops <a@b.c\r\nRCPT>"})
        BOOST_TEST(!b.takes(Section::mail, "to_list", text), text);
    const LoadedConfig loaded = parse_config("config: {mail: {host: h, from: a@b.c, to_list: ['Smith, John "
                                             "<j@b.c>', d@e.f]}}\ncat1: {action: email}\n",
                                             "t");
    BOOST_REQUIRE(loaded.config != nullptr);
    BOOST_TEST(
        (loaded.config->first_channel<MailConfig>()->to_list == std::vector<std::string>{"j@b.c", "d@e.f"}));
}

BOOST_AUTO_TEST_CASE(a_greeting_is_a_name_or_an_address_in_brackets) {
    Bench b;
    for (const char* text : {"host.example.org", "web1", "[192.0.2.1]", "[IPv6:2001:db8::1]", "[ipv6:::1]"})
        BOOST_TEST(b.set(Section::mail, "helo", text) == text);
    for (const char* text : {"", "a b", "192.0.2.1 x", "[192.0.2]", "[::1]", "[IPv6:1.2.3.4]", "[]", ".a",
                             "a.", "a\r\nMAIL", "网关"})
        BOOST_TEST(!b.takes(Section::mail, "helo", text), text);
}

BOOST_AUTO_TEST_CASE(methods_in_any_case) {
    Bench b;
    BOOST_TEST(b.set(Section::cat, "mode", "head") == "HEAD");
    BOOST_TEST(b.set(Section::cat, "method", "Post") == "POST");
    BOOST_TEST(b.set(Section::cat, "mode", "PUT") == "! unknown value 'PUT'; known are GET, POST, HEAD");
}

// A CR LF in a text would begin a header of its own in HTTP or mail.
BOOST_AUTO_TEST_CASE(no_text_takes_a_control_character) {
    Bench b;
    for (const KnownKey& known : all_keys())
        for (const char* poison : {"\r", "\n", "\r\nX: y", "\x01", "\x7f", "\x1b[2J", "\xc2\x85"}) {
            if ((known.key->name == "execCmd" || known.key->name == "body") &&
                std::string_view(poison) == "\n")
                continue;  // a shell script and the text of a mail may have several lines
            for (const std::string value : {"a@b.c", "/a", "a"})
                BOOST_TEST(!b.takes(known, value + poison), known.key->name);
        }
    for (const KnownKey& known : all_keys())
        BOOST_TEST(!b.takes(known, std::string_view("a\0b", 3)), known.key->name);
    BOOST_TEST(b.takes(Section::cat, "execCmd", "a\n\tb\n"));
    BOOST_TEST(b.takes(Section::mail, "body", "a\n\tb\n"));
}

BOOST_AUTO_TEST_CASE(users_are_kept_as_numbers) {
    Bench b;
    BOOST_TEST(b.set(Section::config, "supervisordOwner", "root") == "0");
    BOOST_TEST(b.set(Section::config, "supervisordOwner", "1234") == "1234");
    BOOST_TEST(b.set(Section::config, "supervisordOwner", "4294967294") == "4294967294");
    for (const char* text : {"", "4294967295", "-1", "no-such-user-here", "01", "0x0"})
        BOOST_TEST(!b.takes(Section::config, "supervisordOwner", text), text);
}

BOOST_AUTO_TEST_CASE(urls_of_webhooks) {
    Bench b;
    for (const char* text :
         {"http://localhost:8080", "https://[::1]/a?b=c", "https://h.example.org/x/y?z=1&w"})
        BOOST_TEST(b.set(Section::webhook, "url", text) == text);
    for (const char* text :
         {"", "h.example.org", "ftp://h/", "https://", "https:///x", "https://u:geheim@h/", "https://h:0/",
          "https://h:x/", "https://h/a b", "https://h/#a", "https://h\\x/"}) {
        const std::string complaint = b.set(Section::webhook, "url", text);
        BOOST_TEST(complaint.starts_with("! "), text);
        BOOST_TEST(complaint.find("geheim") == std::string::npos, complaint);
    }
}

BOOST_AUTO_TEST_CASE(several_mail_servers_are_a_list) {
    Bench b;
    BOOST_TEST(b.set(Section::mail, "host", "a.example.org, [::1]") == "a.example.org,::1");
    BOOST_TEST(!b.takes(Section::mail, "host", "a.example.org,"));
    std::string many = "h0";
    for (int i = 1; i < 10; ++i)
        many += ",h" + std::to_string(i);
    BOOST_TEST(b.takes(Section::mail, "host", many));
    BOOST_TEST(!b.takes(Section::mail, "host", many + ",h10"));
}

BOOST_AUTO_TEST_CASE(templates_know_their_fields) {
    Bench b;
    BOOST_TEST(b.takes(Section::mail, "subject", "{program} {{x}} {event}"));
    BOOST_TEST(b.set(Section::mail, "subject", "{programm}") ==
               "! has the unknown field {programm}; did you mean 'program'?");
    for (const char* text : {"{", "}", "{program", "a}b", "{pro{gram}", "{}"}) {
        BOOST_TEST(!b.takes(Section::mail, "subject", text), text);
        BOOST_TEST(!b.takes(Section::mail, "body", text), text);
    }
}

BOOST_AUTO_TEST_CASE(hosts) {
    Bench b;
    BOOST_TEST(b.set(Section::cat, "host", "[::1]") == "::1");
    BOOST_TEST(b.set(Section::cat, "host", "fe80::1%eth0") == "fe80::1%eth0");
    BOOST_TEST(b.set(Section::mail, "host", "smtp.example.org") == "smtp.example.org");
    for (const char* text : {"", "a b", "a/b", "http://a", "a:80", "[a]", "::g", "a@b", "[]"})
        BOOST_TEST(!b.takes(Section::cat, "host", text), text);
    BOOST_TEST(!b.takes(Section::cat, "host", kManyBytes));
    BOOST_TEST(b.set(Section::cat, "host", "a:80") ==
               "! 'a:80' is no IPv6 address; a port is given by the key 'port'");
}

BOOST_AUTO_TEST_CASE(names_and_paths) {
    Bench b;
    BOOST_TEST(b.takes(Section::cat, "program", "group:name_00"));
    BOOST_TEST(!b.takes(Section::cat, "program", ""));
    BOOST_TEST(!b.takes(Section::cat, "program", "  "));
    BOOST_TEST(!b.takes(Section::cat, "program", kManyBytes));
    BOOST_TEST(b.takes(Section::cat, "path", "/a?b=c"));
    for (const char* text : {"", "a", "/a b", "/a#b"})
        BOOST_TEST(!b.takes(Section::cat, "path", text), text);
    BOOST_TEST(!b.takes(Section::cat, "pidFile", "t.pid"));
    BOOST_TEST(b.set(Section::cat, "pidUser", "root") == "0");
    BOOST_TEST(b.set(Section::cat, "pidUser", "1000") == "1000");
    BOOST_TEST(b.set(Section::cat, "pidUser", "4294967294") == "4294967294");
    BOOST_TEST(b.set(Section::cat, "pidUser", "no-such-user-of-ours") ==
               "! there is no user 'no-such-user-of-ours'");
    for (const char* text : {"", "4294967295", "-1", "010", "root,1000"})
        BOOST_TEST(!b.takes(Section::cat, "pidUser", text), text);
    BOOST_TEST(!b.takes(Section::config, "logDir", "log"));
    BOOST_TEST(!b.takes(Section::cat, "username", "a:b"));
    for (const char* name : {"a.b", "A_1-x", "web server: memory", "é", "网关 内存（主）", "Ω😀"})
        BOOST_TEST(static_cast<bool>(check_cat_name(name)), name);
    for (const char* name : {"", ".", "..", "a/b", " a", "a ", "a\tb", "a\nb", "a%b", "a\xff", "\xe7\xbd",
                             "a\u200bb", "a\u202eb", "a\u00a0b", "网\u3000关", "\ufeffa", "a'b", "a,b", "*"})
        BOOST_TEST(!check_cat_name(name), name);
    std::string longest;
    for (int i = 0; i < 64; ++i)
        longest += "网";
    BOOST_TEST(static_cast<bool>(check_cat_name(longest)));
    BOOST_TEST(!check_cat_name(longest + "a"));
    BOOST_TEST(!check_cat_name(std::string(65, 'a')));
    for (const char* name : {"é", "a b", "a:b", ""})
        BOOST_TEST(!check_webhook_name(name), name);
    BOOST_TEST(static_cast<bool>(check_webhook_name("A_1-x.y")));
}

BOOST_AUTO_TEST_CASE(supervisord_urls) {
    Bench b;
    for (const char* text :
         {"unix:///run/s.sock", "http://localhost:9001/RPC2", "http://[::1]:9001", "https://h/RPC2"})
        BOOST_TEST(b.set(Section::config, "supervisordUrl", text) == text);
    for (const char* text :
         {"", "localhost:9001", "unix://run/s.sock", "unix://", "http://", "http://h:0/RPC2",
          "http://h:/RPC2", "http://h:x/RPC2", "http://u@h/RPC2", "http://h/a b", "http://h/RPC2?x"})
        BOOST_TEST(!b.takes(Section::config, "supervisordUrl", text), text);
    BOOST_TEST(b.set(Section::config, "supervisordUrl", "htp://u:geheim@h").find("geheim") ==
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_complaint_quotes_nothing_that_may_be_a_password) {
    Bench b;
    for (const char* text :
         {"http://user:SECRETpw%40127.0.0.1:9001", "http://user:SECRETpw", "http://SECRET%40h/RPC2",
          "http://user:SECRET pw%40h:9001/", "http://user:SECRET/pw?x", "ftp://user:SECRET%40h",
          "user:SECRETpw%40h:9001", "user:SECRETpw", "unix://user:SECRET%40h/x", "unix://user:SECRET/x"}) {
        const std::string said = b.set(Section::config, "supervisordUrl", text);
        BOOST_TEST(said.starts_with("! "), said);
        BOOST_TEST(said.find("SECRET") == std::string::npos, said);
    }
    for (const char* text : {"http://user:SECRETpw%40h/x", "http://user:SECRET/x"}) {
        const std::string said = b.set(Section::webhook, "url", text);
        BOOST_TEST(said.starts_with("! "), said);
        BOOST_TEST(said.find("SECRET") == std::string::npos, said);
    }
    for (const char* text : {"http://u:SECRET@h", "u:SECRET@h", "http://u:SECRET%40h", "u:SECRET%40h"})
        for (const char* key : {"host", "path"}) {
            const std::string said = b.set(Section::cat, key, text);
            BOOST_TEST(said.starts_with("! "), said);
            BOOST_TEST(said.find("SECRET") == std::string::npos, said);
        }
}

BOOST_AUTO_TEST_CASE(headers_are_tokens_with_texts) {
    BOOST_TEST(*checked_headers(R"({"c":1,"B":true,"a":"x","e":""})") ==
               R"({"c":"1","B":"true","a":"x","e":""})");
    for (const char* text : {R"({"a b":"1"})", R"({"":"1"})", R"({"a:":"1"})", R"({"a":null})",
                             R"({"a":[1]})", R"({"a":{}})", R"({"a":"1","A":"2"})", R"({"a":"1","a":"1"})",
                             R"({"a":"x\r\nB: y"})", R"({"a":"\u0000"})", "[1]", "x", ""})
        BOOST_TEST(!checked_headers(text), text);
    BOOST_TEST(!checked_headers(R"({"a":")" + std::string(9000, 'x') + R"("})"));
    BOOST_TEST(checked_headers(R"({"Token":"geheim)").error().what.find("geheim") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(json_bodies_are_checked_and_kept_as_written) {
    BOOST_TEST(*checked_json("{ \"a\" : 1.50 }") == "{ \"a\" : 1.50 }");
    for (const char* text : {"{a:1}", "", "{", "nul", "1 2"})
        BOOST_TEST(!checked_json(text), text);
    BOOST_TEST(!checked_json("\"" + std::string(33'000, 'x') + "\""));
    BOOST_TEST(!checked_json(std::string(10'000, '[') + std::string(10'000, ']')));
}

BOOST_AUTO_TEST_CASE(secret_looking_values_are_masked_at_any_depth) {
    BOOST_TEST(masked_json(R"({"a":1,"X-Api-Key":"s","l":[{"PassWd":{"deep":"s"}}],"n":{"Cookie":"s"}})") ==
               R"({"a":1,"X-Api-Key":"********","l":[{"PassWd":"********"}],"n":{"Cookie":"********"}})");
    BOOST_TEST(masked_json(R"({ "a": 1.0 })") == R"({ "a": 1.0 })");
}

BOOST_AUTO_TEST_CASE(nearest_name_is_one_slip_away_not_a_guess) {
    const std::vector<std::string_view> known = {"port", "path", "password", "periodSeconds"};
    BOOST_TEST(nearest("prot", known) == "port");
    BOOST_TEST(nearest("PASSWORD", known) == "password");
    BOOST_TEST(nearest("periodseconds", known) == "periodSeconds");
    BOOST_TEST(nearest("colour", known) == "");
    BOOST_TEST(nearest("", known) == "");
    BOOST_TEST(nearest(kManyBytes, known) == "");
}

BOOST_AUTO_TEST_SUITE_END()
