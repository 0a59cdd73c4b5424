// No text of the configuration carries a line break or another control character to where lines mean
// something: an HTTP header, a mail, a call to supervisord, the log.
#include "master/config/keys.h"
#include "master/config/reading/yaml.h"
#include "t/fixture/checks.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>

using namespace healthcheckd;

BOOST_AUTO_TEST_SUITE(test_config_line_breaks)

namespace {

constexpr char kMail[] = "host: h, to_list: a@b.c, user: u@b.c, pass: p, ";

const CheckType& type_of(const master::KnownKey& key) {
    for (const CheckType* type : {&kMemCheck, &kHttpCheck, &kTcpCheck, &kCpuCheck, &kRestartCheck})
        if (key.concerns(*type))
            return *type;
    return kMemCheck;
}

// A complete file in which `key` has `value`, a double-quoted text of YAML.
std::string file_with(const master::KnownKey& key, const std::string& value) {
    const std::string name(key.key->name);
    const std::string entry = name + ": " + value;
    if (key.section == master::Section::config)
        return "config: {" + entry + "}\ncat1: {program: p, type: mem, action: restart}\n";
    if (key.kind == &kMailChannel) {
        std::string mail = kMail;
        if (const auto at = mail.find(name + ": "); at != std::string::npos)
            mail.erase(at, mail.find(", ", at) + 2 - at);
        return "config: {mail: {" + mail + entry + "}}\ncat1: {program: p, type: mem}\n";
    }
    if (key.kind == &kWebhookChannel)
        return "config: {webhooks: {a: {" + entry + (name == "url" ? "" : ", url: http://h/") +
               "}}}\ncat1: {program: p, type: mem, action: webhook}\n";
    std::string cat = "cat1: {" + entry;
    for (const auto& [other, text] : {std::pair<std::string, std::string>{"program", "p"},
                                      {"type", std::string(type_of(key).name)},
                                      {"action", "exec"},
                                      {"execCmd", "'true'"}})
        if (other != name)
            cat += ", " + other + ": " + text;
    return cat + (name == "pidFile" ? ", pidGet: file}\n" : "}\n");
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_key_but_a_command_and_the_text_of_a_mail_takes_a_line_break) {
    for (const master::KnownKey& key : master::all_keys())
        for (const std::string text : {"x\\r\\nBcc: a@b.c", "x\\nBcc: a@b.c", "/x\\r\\ny", "a@b.c\\r\\nBcc",
                                       "x\\ry", "{\\\"a\\\": \\\"b\\r\\nc: d\\\"}", "x\\0y", "/x\\e[2J"})
            BOOST_TEST_CONTEXT(key.key->name << ": \"" << text << '"') {
                const std::string yaml = file_with(key, '"' + std::string(text) + '"');
                const LoadedConfig loaded = master::parse_config(yaml, "f");
                const bool complaint_about_it =
                    std::any_of(loaded.diagnostics.begin(), loaded.diagnostics.end(), [&](const auto& one) {
                        return one.severity == Diagnostic::Severity::error &&
                               one.path.ends_with(key.key->name);
                    });
                // Line feeds only: no other control character, no NUL.
                const bool several_lines =
                    (key.key->name == "execCmd" && text.find("\\0") == std::string::npos) ||
                    (key.key->name == "body" && text == "x\\nBcc: a@b.c");
                BOOST_TEST((complaint_about_it || several_lines));
                for (const Diagnostic& one : loaded.diagnostics) {
                    const std::string line = one.format();
                    BOOST_TEST(std::none_of(line.begin(), line.end(), [](char c) {
                        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
                    }));
                }
            }
}

BOOST_AUTO_TEST_CASE(the_same_files_load_with_plain_texts) {
    // So that it was the line break that was refused above.
    for (const master::KnownKey& key : master::all_keys()) {
        const bool plain_will_do = key.key->name == "supervisordPass" || key.key->name == "execCmd" ||
                                   key.key->name == "pass" || key.key->name == "password" ||
                                   key.key->name == "program" || key.key->name == "username" ||
                                   key.key->name == "supervisordUser" || key.key->name == "subject" ||
                                   key.key->name == "body" || key.key->name == "secret";
        if (!plain_will_do)
            continue;
        const LoadedConfig loaded = master::parse_config(file_with(key, "\"x\""), "f");
        BOOST_TEST(loaded.config != nullptr, key.key->name);
    }
}

BOOST_AUTO_TEST_SUITE_END()
