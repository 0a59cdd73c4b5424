// Webhooks, to receivers that check the calls as the services do.
#include "t/fixture/basics.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/mail_lab.h"
#include "t/fixture/mail/webhook_receiver.h"
#include "t/fixture/net/open_port.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>

using namespace healthcheckd::test;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(e2e_webhook)

namespace {

constexpr const char* kFormats[] = {"json", "slack", "wecom", "dingtalk", "feishu"};

// A webhook of `format`; secrets only where they sign.
std::string webhook(const WebhookReceiver& receiver, const std::string& name, const std::string& format,
                    const std::string& more = "") {
    const bool signs = format != "slack" && format != "wecom";
    return name + ": {url: '" + receiver.url(format) + "'" +
           (signs ? std::string(", secret: '") + WebhookReceiver::kSecret + "'" : "") + more + "}";
}

std::string all_formats(const WebhookReceiver& receiver) {
    std::string section;
    for (const std::string format : kFormats)
        section += (section.empty() ? "webhooks: {" : ", ") +
                   webhook(receiver, "hook-" + format, format, ", format: " + format);
    return section + "}";
}

std::string tcp_cat(int port, const std::string& more) {
    return "cat4: {program: 网关, type: tcp, host: 127.0.0.1, periodSeconds: 0.2, port: " +
           std::to_string(port) + ", " + more + "}\n";
}

// The programs of all tests here.
const std::vector<SupervisedProgram> kGateway = {{.name = "网关", .command = "/bin/sleep 1000"}};

void check_no_secret(const std::string& text) {
    for (const char* secret : {WebhookReceiver::kSecret, WebhookReceiver::kUrlKey, "/send"})
        BOOST_TEST(!has(text, secret), secret << " is in " << text);
}

// What lies in the folder of what was given up.
std::vector<std::string> dead(const Daemon& daemon) {
    std::vector<std::string> texts;
    std::error_code none_yet;
    for (const auto& entry : std::filesystem::directory_iterator(daemon.state_dir() + "/dead", none_yet))
        if (entry.path().extension() == ".json" && entry.path().filename().string()[0] != '.')
            texts.push_back(read_file(entry.path()));
    return texts;
}

std::size_t files_in_spool(const Daemon& daemon) {
    std::error_code failure;
    return static_cast<std::size_t>(
        std::ranges::count_if(std::filesystem::directory_iterator(daemon.state_dir() + "/spool", failure),
                              [](const auto& entry) { return entry.path().filename() != "told.json"; }));
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_format_arrives_as_its_service_takes_it_and_nothing_secret_is_shown) {
    const WebhookReceiver receiver;
    const Supervisord supervisord(kGateway);
    Daemon daemon(supervisord.url(), tcp_cat(free_port(), "action: webhook, execTimeoutSeconds: 9"),
                  {.arguments = {"-v"}, .config_lines = all_formats(receiver)});
    BOOST_TEST_REQUIRE(receiver.wait_for_calls(5));
    for (const std::string format : kFormats) {
        const auto calls = receiver.calls(format);
        BOOST_TEST_REQUIRE(calls.size() == 1U, format);
        BOOST_TEST_CONTEXT(calls[0].dump()) {
            BOOST_TEST(calls[0]["taken"] == true);
            BOOST_TEST(has(calls[0]["headers"]["content-type"], "application/json"));
            BOOST_TEST(has(calls[0]["body"].dump(), "网关 tcp check failed"));
            BOOST_TEST(has(calls[0]["body"].dump(), "connection refused"));
            if (format != "slack" && format != "wecom")
                BOOST_TEST(calls[0]["signed"] == true);
        }
        BOOST_TEST(daemon.wait_for_log("[webhook:hook-" + format + "] sent: "));
    }
    BOOST_TEST(daemon.wait_for_log("delivered to 127.0.0.1:" + std::to_string(receiver.port()), 20s, 5));
    BOOST_TEST(wait_until([&] { return files_in_spool(daemon) == 0; }));
    BOOST_TEST(daemon.wait_for_mail_counts(5, 0));
    BOOST_TEST(dead(daemon).empty());
    check_no_secret(daemon.log());
    check_no_secret(daemon.state().dump());
    const CommandResult dump = run_command({healthcheckd_binary(), "-T", "-c", daemon.config_file()});
    BOOST_TEST(dump.status == 0);
    BOOST_TEST(has(dump.output, "hook-feishu"), dump.output);
    BOOST_TEST(has(dump.output, "127.0.0.1:" + std::to_string(receiver.port()) + "/********"), dump.output);
    check_no_secret(dump.output);
}

// The fields that healthcheckd(8), WEBHOOKS, promises.
BOOST_AUTO_TEST_CASE(json_carries_every_field_of_failure_and_recovery) {
    const WebhookReceiver receiver;
    const Supervisord supervisord(
        {{.name = "web", .command = "/bin/sh -c 'echo the-last-words >&2; exec sleep 1000'"}});
    const int port = free_port();
    const Daemon daemon(
        supervisord.url(),
        "cat4: {program: web, type: tcp, host: 127.0.0.1, periodSeconds: 0.2, port: " + std::to_string(port) +
            ", action: 'exec,webhook:record', execCmd: 'echo tried to mend', sendResolved: yes}\n",
        {.config_lines = "mail: {host: 127.0.0.1, port: 1, user: a@b.c, to_list: a@b.c, digestSeconds: 0.1}\n"
                         "webhooks: {" +
                         webhook(receiver, "record", "json", ", headers: {X-Own: value}") + "}"});
    BOOST_TEST_REQUIRE(receiver.wait_for_calls(1));
    const OpenPort mended(port);
    BOOST_TEST_REQUIRE(receiver.wait_for_calls(2));
    const auto calls = receiver.calls();
    BOOST_TEST(calls[0]["headers"]["x-own"] == "value");
    for (const json& call : calls) {
        BOOST_TEST(call["signed"] == true);
        const json& body = call["body"];
        for (const char* name : {"version", "subject", "host", "lost", "events"})
            BOOST_TEST(body.contains(name), name);
        BOOST_TEST_REQUIRE(body["events"].size() == 1U);
        const json& event = body["events"][0];
        for (const char* name :
             {"id",      "event",  "at",           "atMs", "host",     "address", "platform", "program",
              "cat",     "type",   "programState", "pid",  "value",    "limit",   "unit",     "failures",
              "message", "action", "verdicts",     "log",  "reminder", "repeats"})
            BOOST_TEST(event.contains(name), name);
        BOOST_TEST(event.size() == 22U);
        for (const char* name : {"kind", "ok", "message", "output"})
            BOOST_TEST(event["action"].contains(name), name);
        BOOST_TEST((!event["verdicts"].empty() && event["verdicts"].size() <= 5));
        for (const char* name : {"at", "atMs", "verdict", "value", "unit", "message"})
            BOOST_TEST(event["verdicts"][0].contains(name), name);
    }
    const json& failed = calls[0]["body"]["events"][0];
    BOOST_TEST_CONTEXT(failed.dump()) {
        BOOST_TEST(failed["event"] == "failed");
        BOOST_TEST(failed["program"] == "web");
        BOOST_TEST(failed["cat"] == "cat4");
        BOOST_TEST(failed["type"] == "tcp");
        BOOST_TEST(has(failed["programState"], "RUNNING"));
        BOOST_TEST(failed["failures"] == 3);
        BOOST_TEST(has(failed["message"], "connection refused"));
        BOOST_TEST(failed["action"]["kind"] == "exec");
        BOOST_TEST(failed["action"]["ok"] == true);
        BOOST_TEST(failed["action"]["output"] == "tried to mend\n");
        BOOST_TEST(failed["verdicts"].size() == 3U);
        BOOST_TEST(failed["log"]["stream"] == "stderr");
        BOOST_TEST(failed["log"]["text"] == "the-last-words\n");
        BOOST_TEST(failed["reminder"] == false);
        BOOST_TEST(!failed["host"].get<std::string>().empty());
    }
    const json& recovered = calls[1]["body"]["events"][0];
    BOOST_TEST(recovered["event"] == "recovered");
    BOOST_TEST(recovered["failures"] == 0);
    BOOST_TEST(recovered["action"]["kind"] == "none");
    BOOST_TEST(recovered["id"] != failed["id"]);
}

BOOST_AUTO_TEST_CASE(a_call_that_could_not_be_taken_is_made_again_until_it_is) {
    const WebhookReceiver receiver;
    receiver.fail("json", "500");
    receiver.fail("slack", "cut");
    receiver.fail("dingtalk", "429");
    const Supervisord supervisord(kGateway);
    Daemon daemon(supervisord.url(), tcp_cat(free_port(), "action: webhook"),
                  {.config_lines = all_formats(receiver)});
    BOOST_TEST_REQUIRE(receiver.wait_for_calls(5));
    const std::string wait = R"(\] not sent yet: .*)";
    BOOST_TEST(daemon.wait_for_log(std::regex("webhook:hook-json" + wait + "HTTP 500.*; try 2 in [4-6] s")));
    BOOST_TEST(daemon.wait_for_log(std::regex("webhook:hook-slack" + wait + "; try 2 in [4-6] s")));
    // It asks to be left alone.
    BOOST_TEST(daemon.wait_for_log(
        std::regex("webhook:hook-dingtalk" + wait + "HTTP 429.*; try 2 in [0-9]{3,4} s")));
    receiver.mend();
    BOOST_TEST_REQUIRE(receiver.wait_for_calls(2, "json"));
    BOOST_TEST_REQUIRE(receiver.wait_for_calls(2, "slack"));
    for (const char* format : {"json", "slack"}) {
        const auto calls = receiver.calls(format);
        BOOST_TEST(calls[1]["taken"] == true);
        // The same message, signed anew.
        BOOST_TEST(calls[1]["body"] == calls[0]["body"]);
        BOOST_TEST(daemon.wait_for_log("[webhook:hook-" + std::string(format) + "] sent: "));
        BOOST_TEST(receiver.calls(format).size() == 2U);
    }
    BOOST_TEST(receiver.calls("dingtalk").size() == 1U);
    BOOST_TEST(receiver.calls("feishu").size() == 1U);
    check_no_secret(daemon.log());
}

BOOST_AUTO_TEST_CASE(a_call_that_hangs_over_an_end_of_healthcheckd_is_made_again_by_the_next) {
    const WebhookReceiver receiver;
    receiver.fail("json", "hang");
    const Supervisord supervisord(kGateway);
    const std::string cats = tcp_cat(free_port(), "action: webhook");
    const std::string section = "webhooks: {" + webhook(receiver, "record", "json") + "}";
    const TempDir state;
    {
        Daemon daemon(supervisord.url(), cats, {.config_lines = section, .state_dir = state.file("state")});
        BOOST_TEST_REQUIRE(receiver.wait_for_calls(1));
        BOOST_TEST((daemon.stop().took < 5s * slower()));
    }
    receiver.mend();
    const Daemon daemon(supervisord.url(), cats, {.config_lines = section, .state_dir = state.file("state")});
    BOOST_TEST_REQUIRE(receiver.wait_for_calls(2));
    const auto calls = receiver.calls();
    BOOST_TEST(calls[1]["taken"] == true);
    BOOST_TEST(calls[1]["body"] == calls[0]["body"]);
}

BOOST_AUTO_TEST_CASE(what_is_refused_for_good_is_kept_with_the_reason_and_without_secrets) {
    const WebhookReceiver receiver;
    receiver.fail("json", "404");
    receiver.fail("wecom", "errcode 93000");
    receiver.fail("feishu", "errcode 19001");
    const Supervisord supervisord(kGateway);
    Daemon daemon(supervisord.url(), tcp_cat(free_port(), "action: webhook"),
                  {.config_lines = all_formats(receiver)});
    BOOST_TEST_REQUIRE(daemon.wait_for_log("] given up: ", 20s, 3));
    // What was given up is told anew 10 s later, so there may be more of it by now.
    const auto given_up = [&] {
        return daemon.count_log("] given up: ");
    };
    BOOST_TEST_REQUIRE(wait_until([&] { return dead(daemon).size() == given_up(); }));
    std::map<std::string, json> kept;
    for (const std::string& text : dead(daemon)) {
        check_no_secret(text);
        const json call = json::parse(text);
        kept[call["channel"]] = call;
    }
    for (const auto& [channel, reason] : {std::pair{"webhook:hook-json", "HTTP 404: as ordered"},
                                          {"webhook:hook-wecom", "error 93000: as ordered"},
                                          {"webhook:hook-feishu", "error 19001: as ordered"}}) {
        BOOST_TEST_REQUIRE(kept.contains(channel), channel);
        BOOST_TEST(has(kept[channel]["reason"], reason), kept[channel].dump());
        BOOST_TEST(has(kept[channel]["call"].dump(), "网关 tcp check failed"), kept[channel].dump());
    }
    BOOST_TEST(wait_until([&] { return files_in_spool(daemon) == 0; }));
    BOOST_TEST(wait_until([&] {
        const json counts = daemon.state().at("mail");
        return counts.at("sent") == 2 && counts.at("failed") == given_up() && given_up() % 3 == 0;
    }));
    check_no_secret(daemon.log());
}

BOOST_AUTO_TEST_CASE(a_call_that_is_answered_at_length_is_made_once) {
    const WebhookReceiver receiver;
    receiver.fail("json", "long");
    const Supervisord supervisord(kGateway);
    const Daemon daemon(supervisord.url(), tcp_cat(free_port(), "action: webhook"),
                        {.config_lines = "webhooks: {" + webhook(receiver, "record", "json") + "}"});
    BOOST_TEST(daemon.wait_for_log("[webhook:record] sent: "));
    BOOST_TEST(receiver.calls().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_receiver_that_sends_everything_back_gets_no_key_into_the_log) {
    const WebhookReceiver receiver;
    receiver.fail("json", "echo");
    const Supervisord supervisord(kGateway);
    Daemon daemon(supervisord.url(), tcp_cat(free_port(), "action: webhook"),
                  {.config_lines = "webhooks: {" +
                                   webhook(receiver, "record", "json",
                                           ", headers: {Authorization: 'Bearer t0ken-of-the-header'}") +
                                   "}"});
    BOOST_TEST_REQUIRE(daemon.wait_for_log("HTTP 404: Cannot POST ********"));
    BOOST_TEST_REQUIRE(wait_until([&] { return dead(daemon).size() == 1; }));
    for (const std::string& text : {daemon.log(), dead(daemon)[0]}) {
        check_no_secret(text);
        BOOST_TEST(!has(text, "t0ken-of-the-header"), text);
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_secret_is_refused_and_told_in_the_services_words) {
    const WebhookReceiver receiver;
    const Supervisord supervisord(kGateway);
    const Daemon daemon(supervisord.url(), tcp_cat(free_port(), "action: 'dingding,feishu'"),
                        {.config_lines = "webhooks: {dingding: {url: '" + receiver.url("dingtalk") +
                                         "', secret: wr0ng}, feishu: {url: '" + receiver.url("feishu") +
                                         "', secret: wr0ng}}"});
    BOOST_TEST(daemon.wait_for_log("error 310000: sign not match"));
    BOOST_TEST(daemon.wait_for_log("error 19021: sign match fail"));
    BOOST_TEST(!has(daemon.log(), "wr0ng"));
}

BOOST_AUTO_TEST_CASE(the_predecessors_names_in_an_action_select_webhooks_of_these_names) {
    const WebhookReceiver receiver;
    const Supervisord supervisord(kGateway);
    const Daemon daemon(supervisord.url(), tcp_cat(free_port(), "action: 'wechat,dingding,feishu'"),
                        {.config_lines = "webhooks: {" + webhook(receiver, "wechat", "wecom") + ", " +
                                         webhook(receiver, "dingding", "dingtalk") + ", " +
                                         webhook(receiver, "feishu", "feishu") + ", " +
                                         webhook(receiver, "other", "json") + "}"});
    for (const char* format : {"wecom", "dingtalk", "feishu"}) {
        BOOST_TEST_REQUIRE(receiver.wait_for_calls(1, format), format);
        BOOST_TEST(receiver.calls(format)[0]["taken"] == true, format);
    }
    BOOST_TEST(daemon.wait_for_log("] sent: ", 20s, 3));
    BOOST_TEST(receiver.calls("json").empty());
}

// Before it has said a word, and when it has the whole mail and only its last answer is missing.
BOOST_AUTO_TEST_CASE(a_mail_server_that_hangs_delays_no_webhook_and_no_probe) {
    for (const std::string phase : {"connect", "message"}) {
        SmtpSink sink = SmtpSink(plain_sink());
        sink.fail(phase, "hang");
        const WebhookReceiver receiver;
        const Supervisord supervisord(kGateway);
        const int port = free_port();
        Daemon daemon(
            supervisord.url(), tcp_cat(port, "action: 'email,webhook', sendResolved: yes"),
            {.config_lines = plain_mail(sink) + "\nwebhooks: {" + webhook(receiver, "record", "json") + "}"});
        BOOST_TEST_REQUIRE(daemon.wait_for_log("-> failed"));
        BOOST_TEST(receiver.wait_for_calls(1, "json", 5s), phase);
        if (phase == "message")
            BOOST_TEST(wait_until([&] { return has(sink.commands(), "data"); }));
        const auto probes = daemon.state("cat4")["probes"].get<int>();
        const OpenPort mended(port);
        BOOST_TEST(receiver.wait_for_calls(2, "json", 5s), phase);
        BOOST_TEST(daemon.wait_for_state(
            "cat4", [&](const auto& state) { return state["probes"] > probes + 10; }, 6s));
        BOOST_TEST(sink.mails().empty());
        BOOST_TEST(daemon.wait_for_mail_counts(2, 0));
        BOOST_TEST(daemon.state()["mail"]["queued"] >= 1);
        BOOST_TEST((daemon.stop().took <= 3s * slower()));
    }
}

BOOST_AUTO_TEST_CASE(a_webhook_by_https_is_called_only_when_its_certificate_is_trusted) {
    Authority authority;
    const WebhookReceiver receiver(authority.issue());
    const Supervisord supervisord(kGateway);
    const Daemon daemon(
        supervisord.url(), tcp_cat(free_port(), "action: webhook"),
        {.config_lines = "webhooks: {" +
                         webhook(receiver, "trusted", "json", ", caFile: " + authority.ca_file()) + ", " +
                         webhook(receiver, "unknown", "slack", ", format: slack") + ", " +
                         webhook(receiver, "careless", "feishu", ", format: feishu, verify: no") + "}"});
    BOOST_TEST(receiver.wait_for_calls(1, "json"));
    BOOST_TEST(receiver.wait_for_calls(1, "feishu"));
    BOOST_TEST(daemon.wait_for_log(std::regex(R"(webhook:unknown\] not sent yet: .*certificate)")));
    BOOST_TEST(receiver.calls("slack").empty());
    check_no_secret(daemon.log());
}

BOOST_AUTO_TEST_SUITE_END()
