#include "master/mailer/text/mail.h"
#include "master/notice/host_facts.h"
#include "t/fixture/basics.h"
#include "t/fixture/checks.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

using namespace healthcheckd;
using namespace healthcheckd::test;
using namespace healthcheckd::master;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(test_mail)

namespace {

MailConfig config() {
    MailConfig mail;
    mail.hosts = {"mail.test"};
    mail.from = "ops@test.local";
    mail.to_list = {"a@test.local", "b@test.local"};
    return mail;
}

Incident event() {
    Incident event;
    ActionRequest& request = event.request;
    request.cat_name = "cat1";
    request.program = "gateway";
    request.cat.set_type(kMemCheck);
    request.evidence.verdict = Verdict::failure;
    request.evidence.value = 1031.2;
    request.evidence.limit = 1024;
    request.evidence.unit = "MB";
    request.evidence.process = {.pid = 2630, .start_ticks = 81123};
    request.evidence.message = "rss 1031.2 MB, limit 1024 MB";
    request.failures = 3;
    request.at = std::chrono::system_clock::from_time_t(1767337445);
    event.action = &kRestartAction;
    event.result = {
        .ok = true, .message = "stopped (pid 2630) and started (pid 2700) in 1.2 s", .output = {}};
    return event;
}

// What the mail about `incident` says, after it has been through the spool.
MailMessage compose_mail(const MailConfig& mail, const Incident& incident, LogTail log = {}) {
    const auto notice = decode_notice(encode_notice(make_notice(incident, "mail", std::move(log))));
    BOOST_TEST_REQUIRE(static_cast<bool>(notice));
    return master::compose_mail(mail, {Telling{*notice}}, 0);
}

// The message as Python's strict parser reads it; fails the test when that finds any defect.
json parsed(const MailMessage& message) {
    const TempDir dir;
    const CommandResult result =
        run_command({"/usr/bin/python3", (source_dir() / "t/fixture/mail/parse_mail.py").string(),
                     dir.write("mail", message.text)});
    BOOST_REQUIRE_MESSAGE(result.status == 0, result.output + message.text);
    return json::parse(result.output);
}

std::string field(const json& mail, std::string_view label) {
    const std::string body = "\n" + mail["body"].get<std::string>();
    const std::size_t at = body.find("\n" + std::string(label) + " ");
    if (at == std::string::npos)
        return "(no " + std::string(label) + ")";
    const std::string line = body.substr(at + 1, body.find('\n', at + 1) - at - 1);
    return line.substr(line.find_first_not_of(' ', label.size()));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_failure_mail_says_all_that_the_guide_promises) {
    const MailMessage message = compose_mail(config(), event());
    BOOST_TEST(message.sender == "ops@test.local");
    BOOST_TEST(message.recipients == config().to_list, boost::test_tools::per_element());
    const json mail = parsed(message);
    BOOST_TEST(mail["subject"] == "[healthcheckd] " + host_name() + ": gateway mem check failed");
    BOOST_TEST(mail["to"] == json({"a@test.local", "b@test.local"}));
    BOOST_TEST(mail["from"] == json({"ops@test.local"}));
    BOOST_TEST(mail["type"] == "text/plain");
    BOOST_TEST(mail["charset"] == "utf-8");
    BOOST_TEST(mail["auto"] == "auto-generated");
    BOOST_TEST(mail["id"] == message.message_id);
    BOOST_TEST(field(mail, "Program") == "gateway");
    BOOST_TEST(field(mail, "Cat") == "cat1");
    BOOST_TEST(field(mail, "Type") == "mem");
    BOOST_TEST(field(mail, "Host name") == host_name());
    BOOST_TEST(field(mail, "Address") == host_addresses());
    BOOST_TEST(field(mail, "Platform") == host_platform());
    BOOST_TEST(field(mail, "Process") == "pid 2630");
    BOOST_TEST(field(mail, "Value") == "1031.2 MB");
    BOOST_TEST(field(mail, "Limit") == "1024 MB");
    BOOST_TEST(field(mail, "Failures") == "3");
    BOOST_TEST(field(mail, "Action") == "restart");
    BOOST_TEST(field(mail, "Result") == "succeeded: stopped (pid 2630) and started (pid 2700) in 1.2 s");
    BOOST_TEST(field(mail, "Message") == "rss 1031.2 MB, limit 1024 MB");
    const std::string time = field(mail, "Time");
    BOOST_TEST((time.starts_with("2026-01-02 ") || time.starts_with("2026-01-01 ")), time);
    BOOST_TEST((time[20] == '+' || time[20] == '-'), time);
}

BOOST_AUTO_TEST_CASE(each_header_stands_there_once_and_no_other) {
    const json mail = parsed(compose_mail(config(), event()));
    BOOST_TEST(mail["headers"] == json({"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted",
                                        "X-Auto-Response-Suppress", "MIME-Version", "Content-Type",
                                        "Content-Transfer-Encoding"}));
}

BOOST_AUTO_TEST_CASE(a_recovery_mail_tells_of_no_action) {
    Incident resolved = event();
    resolved.kind = NoticeKind::recovered;
    const json mail = parsed(compose_mail(config(), resolved));
    BOOST_TEST(mail["subject"] == "[healthcheckd] " + host_name() + ": gateway mem check recovered");
    BOOST_TEST(has(mail["body"], "succeeds again"));
    BOOST_TEST(field(mail, "Action") == "(no Action)");
    BOOST_TEST(field(mail, "Result") == "(no Result)");
}

BOOST_AUTO_TEST_CASE(a_notice_about_unknown_says_that_nothing_was_done) {
    Incident unknown = event();
    unknown.kind = NoticeKind::unmeasurable;
    unknown.request.evidence.message = "supervisord is away";
    const json mail = parsed(compose_mail(config(), unknown));
    BOOST_TEST(mail["subject"] ==
               "[healthcheckd] " + host_name() + ": gateway mem check could not be measured");
    BOOST_TEST(has(mail["body"], "nothing was done"));
    BOOST_TEST(field(mail, "Value") == "(no Value)");
    BOOST_TEST(field(mail, "Message") == "supervisord is away");
}

BOOST_AUTO_TEST_CASE(a_failed_action_and_its_output_are_shown) {
    Incident failed = event();
    failed.action = &kExecAction;
    failed.result = {
        .ok = false, .message = "exit status 3", .output = "line one\r\n\033[31mred\nResult fake\n"};
    const json mail = parsed(compose_mail(config(), failed));
    BOOST_TEST(field(mail, "Result") == "FAILED: exit status 3");
    BOOST_TEST(
        has(mail["body"], "Output of the command:\n    line one\n    \\x1B[31mred\n    Result fake\n"));
}

BOOST_AUTO_TEST_CASE(mail_alone_is_named_as_the_action) {
    Incident alone = event();
    alone.action = nullptr;
    const json mail = parsed(compose_mail(config(), alone));
    BOOST_TEST(field(mail, "Action") == "none but this notice");
    BOOST_TEST(field(mail, "Result") == "(no Result)");
}

BOOST_AUTO_TEST_CASE(other_scripts_arrive_whole) {
    Incident chinese = event();
    chinese.request.program = "\xe6\x94\xaf\xe4\xbb\x98\xe7\xbd\x91\xe5\x85\xb3";
    chinese.request.evidence.message = "\xe5\x86\x85\xe5\xad\x98 1031.2 MB";
    const json mail = parsed(compose_mail(config(), chinese));
    BOOST_TEST(mail["subject"] ==
               "[healthcheckd] " + host_name() + ": " + chinese.request.program + " mem check failed");
    BOOST_TEST(field(mail, "Program") == chinese.request.program);
    BOOST_TEST(field(mail, "Message") == chinese.request.evidence.message);
}

BOOST_AUTO_TEST_CASE(no_text_from_outside_becomes_a_header_or_ends_the_headers) {
    const std::string bad = "x\r\nBcc: evil@test.local\r\n\r\ninjected\r\n.\r\nMAIL FROM:<a@b>";
    Incident hostile = event();
    hostile.request.program = bad;
    hostile.request.cat_name = bad;
    hostile.request.evidence.message = bad;
    hostile.request.evidence.unit = bad;
    hostile.result.message = bad;
    hostile.result.output = bad;
    MailConfig mail_config = config();
    mail_config.from = "ops@test.local\r\nBcc: evil@test.local";
    mail_config.to_list = {"a@test.local\r\nBcc: evil@test.local"};
    const MailMessage message = compose_mail(mail_config, hostile);
    const json mail = parsed(message);
    for (const auto& name : mail["headers"])
        BOOST_TEST(name != "Bcc");
    BOOST_TEST(mail["headers"].size() == 10u);
    BOOST_TEST(!has(message.text, "\r\n.\r\n"));
    BOOST_TEST(message.sender == "ops@test.local");
    BOOST_TEST(message.recipients == std::vector<std::string>{"a@test.local"},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_long_message_stays_in_short_lines) {
    Incident wordy = event();
    wordy.result.output = std::string(4096, 'x');
    wordy.request.evidence.message = std::string(3000, 'y');
    const json mail = parsed(compose_mail(config(), wordy));
    BOOST_TEST(has(mail["body"], std::string(4096, 'x')));
}

BOOST_AUTO_TEST_SUITE_END()
