// The commands of healthcheckctl against a server that answers as healthcheckd does.
#include "t/fixture/basics.h"
#include "t/fixture/daemon/control_stub.h"

#include "common/text/time.h"
#include "common/text/width.h"
#include "master/ctl/status.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_ctl)

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

// One answer, one command.
CommandResult answered(const std::string& answer, std::vector<std::string> arguments,
                       std::string* request = nullptr) {
    const ControlStub stub(answer);
    const CommandResult result = healthcheckctl(stub.path(), std::move(arguments));
    if (request != nullptr && !stub.requests().empty())
        *request = stub.requests().front();
    return result;
}

int status_of(const std::string& cats, std::vector<std::string> arguments = {"status"}) {
    return answered(status_answer(cats), std::move(arguments)).status;
}

}  // namespace

BOOST_AUTO_TEST_CASE(status_is_a_table_with_a_summary) {
    std::string request;
    const auto result = answered(status_answer(R"([{}, {"name": "cat2", "pid": 0, "lastProbe": null}])"),
                                 {"status"}, &request);
    BOOST_TEST(request == "status");
    BOOST_TEST(result.status == 0);
    const auto lines = lines_of(result.output);
    BOOST_TEST_REQUIRE(lines.size() == 4, result.output);
    BOOST_TEST(lines[0] == "CAT   PROGRAM  TYPE  STATE     PID  FAILURES  SUCCESSES  FIRED  LAST PROBE");
    BOOST_TEST(lines[1].starts_with("cat1  web      mem   healthy  4711       0/3        1/1      2  "));
    BOOST_TEST(lines[1].ends_with(" ago: rss 431.3 MB of 1024 MB"));
    BOOST_TEST(lines[2] == "cat2  web      mem   healthy     -       0/3        1/1      2  -");
    BOOST_TEST(lines[3] == "2 cats: 2 healthy; supervisord answers; mail: 0 queued, 5 sent, 0 failed");
}

BOOST_AUTO_TEST_CASE(columns_are_aligned_by_what_a_terminal_shows) {
    const auto result = answered(
        status_answer(R"([{"program": "网关"}, {"program": "µservice"}, {"program": "web"}])"), {"status"});
    const auto lines = lines_of(result.output);
    BOOST_TEST_REQUIRE(lines.size() == 5);
    const std::size_t column = text_width(lines[0].substr(0, lines[0].find("TYPE")));
    for (std::size_t i = 1; i <= 3; ++i)
        BOOST_TEST(text_width(lines[i].substr(0, lines[i].find("mem "))) == column, result.output);
}

BOOST_AUTO_TEST_CASE(the_exit_status_is_1_for_failed_and_unknown_cats_that_are_not_paused) {
    for (const char* state : {"healthy", "failing", "idle", "starting", "disabled"})
        BOOST_TEST(status_of(std::string(R"([{"state": ")") + state + "\"}]") == 0, state);
    for (const char* state : {"failed", "unknown"}) {
        BOOST_TEST(status_of(std::string(R"([{}, {"state": ")") + state + "\"}]") == 1, state);
        BOOST_TEST(status_of(std::string(R"([{"paused": {"until": null}, "state": ")") + state + "\"}]") == 0,
                   state);
        BOOST_TEST(status_of(std::string(R"([{"dryRun": true, "state": ")") + state + "\"}]") == 1, state);
    }
    BOOST_TEST(status_of(R"([{"state": null}])") == 1);
    BOOST_TEST(status_of("[]") == 0);
}

BOOST_AUTO_TEST_CASE(a_test_of_health_can_ask_for_failed_cats_alone) {
    const std::string unknown = R"([{}, {"state": "unknown"}, {"state": null}])";
    BOOST_TEST(status_of(unknown, {"status", "--failed"}) == 0);
    BOOST_TEST(status_of(unknown, {"status", "--failed", "--json"}) == 0);
    BOOST_TEST(status_of(R"([{"state": "unknown"}, {"state": "failed"}])", {"status", "--failed"}) == 1);
    BOOST_TEST(healthcheckctl("/nonexistent/socket", {"status", "--failed"}).status == 2);
}

BOOST_AUTO_TEST_CASE(pauses_and_dry_runs_are_marked_in_the_state) {
    const auto soon = std::chrono::system_clock::now() + std::chrono::hours(2);
    const auto late = std::chrono::system_clock::now() + std::chrono::hours(80);
    const std::string cats =
        R"([{"name": "a", "paused": {"until": ")" + utc_timestamp(soon) +
        R"("}}, {"name": "b", "paused": {"until": null}, "dryRun": true, "state": "failed"},
                             {"name": "c", "dryRun": true}, {"name": "d", "state": "disabled"},
                             {"name": "e", "paused": {"until": ")" +
        utc_timestamp(late) + R"("}}])";
    const std::string output = answered(status_answer(cats), {"status"}).output;
    BOOST_TEST(has(output, "healthy (paused until " + local_time(soon).substr(11, 5) + ") "), output);
    BOOST_TEST(has(output, "failed (paused, dry run) "));
    BOOST_TEST(has(output, "healthy (dry run) "));
    BOOST_TEST(has(output, "disabled "));
    BOOST_TEST(has(output, "healthy (paused until " + local_time(late).substr(0, 16) + ") "));
    BOOST_TEST(has(output, "5 cats: 3 paused, 1 healthy, 1 disabled;"));
}

BOOST_AUTO_TEST_CASE(status_of_one_cat_shows_it_or_the_members_of_its_group) {
    const std::string answer = status_answer(R"([{"name": "cat1"}, {"name": "cat2", "state": "failed"},
        {"name": "grp/web_00"}, {"name": "grp/web_01", "state": "failing"}])");
    BOOST_TEST(answered(answer, {"status", "cat1"}).status == 0);
    BOOST_TEST(answered(answer, {"status", "cat2"}).status == 1);
    const auto group = answered(answer, {"status", "grp"});
    BOOST_TEST(has(group.output, "grp/web_00"));
    BOOST_TEST(has(group.output, "2 cats: 1 failing, 1 healthy"), group.output);
    BOOST_TEST(lines_of(answered(answer, {"status", "grp/web_01"}).output).size() == 3);
    const auto absent = answered(answer, {"status", "cta1"});
    BOOST_TEST(absent.status == 2);
    BOOST_TEST(has(absent.output, "there is no cat 'cta1'; did you mean 'cat1'?"), absent.output);
}

BOOST_AUTO_TEST_CASE(a_supervisord_that_is_away_and_failed_mail_are_in_the_summary) {
    auto answer = nlohmann::json::parse(status_answer("[{}]"));
    answer["state"]["supervisord"] = {{"reachable", false}, {"error", "connection refused"}};
    answer["state"]["mail"] = {{"queued", 3}, {"sent", 0}, {"failed", 2}};
    const auto result = answered(answer.dump(), {"status"});
    BOOST_TEST(has(result.output, "1 cat: 1 healthy; supervisord does not answer (connection refused); "
                                  "mail: 3 queued, 0 sent, 2 failed"),
               result.output);
}

BOOST_AUTO_TEST_CASE(status_as_json_is_the_state_with_the_same_exit_status) {
    const auto result =
        answered(status_answer(R"([{"program": "网关\u007f\u009b2J"}, {"name": "cat2", "state": "failed"}])"),
                 {"status", "--json"});
    BOOST_TEST(result.status == 1);
    const auto state = nlohmann::json::parse(result.output, nullptr, false);
    BOOST_TEST_REQUIRE(state.is_object(), result.output);
    BOOST_TEST(state["pid"] == 12);
    BOOST_TEST(state["cats"].size() == 2);
    BOOST_TEST(state["cats"][0]["program"] == "网关\u007f\u009b2J");
    BOOST_TEST(has(result.output, "网关\\u007f\\u009b2J"));  // no raw control
    const auto one =
        answered(status_answer(R"([{}, {"name": "cat2", "state": "failed"}])"), {"status", "cat1", "--json"});
    BOOST_TEST(one.status == 0);
    BOOST_TEST(nlohmann::json::parse(one.output)["cats"].size() == 1);
}

BOOST_AUTO_TEST_CASE(control_characters_never_reach_the_terminal) {
    const std::string evil = R"("x\u001b[2J\u0007\r\n\u009b1A\u007f")";
    const std::string status =
        status_answer("[{\"name\": " + evil + ", \"program\": " + evil + ", \"type\": " + evil +
                      ", \"state\": " + evil + ", \"lastProbe\": {\"message\": " + evil + "}}]");
    const std::string rest =
        "{\"ok\": true, \"cat\": " + evil + ", \"cats\": [" + evil + "], \"until\": " + evil +
        ", \"verdict\": " + evil + ", \"message\": " + evil + ", \"value\": 1, \"unit\": " + evil +
        ", \"lines\": [" + evil + "], \"added\": [" + evil + "], \"notes\": [" + evil +
        "], \"events\": [{\"at\": " + evil + ", \"kind\": " + evil + ", \"text\": " + evil + "}]}";
    const std::string refusal = "{\"ok\": false, \"error\": " + evil + ", \"problems\": [" + evil + "]}";
    for (const auto& [answer, command] : std::vector<std::pair<std::string, std::vector<std::string>>>{
             {status, {"status"}},
             {status, {"status", "--json"}},
             {rest, {"pause", "a"}},
             {rest, {"resume", "a"}},
             {rest, {"check", "a"}},
             {rest, {"test-action", "a", "--dry-run"}},
             {rest, {"reload"}},
             {rest, {"history", "a"}},
             {refusal, {"reload"}}}) {
        const std::string output = answered(answer, command).output;
        BOOST_TEST(has(output, "x\\"), command[0] << ": " << output);
        for (const std::string& bad : {std::string("\x1b"), std::string("\x07"), std::string("\r"),
                                       std::string("\xc2\x9b"), std::string("\x7f")})
            BOOST_TEST(!has(output, bad), command[0]);
    }
}

BOOST_AUTO_TEST_CASE(pause_and_resume_say_which_cats_and_until_when) {
    std::string request;
    auto result = answered(R"({"ok": true, "cats": ["a", "b"], "until": "2026-11-25T22:30:00Z"})",
                           {"pause", "web", "--for", "30m"}, &request);
    BOOST_TEST(request == "pause name=web for_ms=1800000");
    BOOST_TEST(result.status == 0);
    const auto until = std::chrono::sys_days(std::chrono::year(2026) / 11 / 25) + 22h + 30min;
    BOOST_TEST(result.output == "paused until " + local_time(until) + ": a, b\n");
    result = answered(R"({"ok": true, "cats": ["a"], "until": null})", {"pause", "a"}, &request);
    BOOST_TEST(request == "pause name=a for_ms=0");
    BOOST_TEST(result.output == "paused until resumed: a\n");
    result = answered(R"({"ok": true, "cats": ["a"]})", {"resume", "网关"}, &request);
    BOOST_TEST(request == "resume name=%E7%BD%91%E5%85%B3");
    BOOST_TEST(result.output == "resumed: a\n");
    BOOST_TEST(answered(R"({"ok": true, "cats": []})", {"resume", "a"}).output == "nothing was paused\n");
}

BOOST_AUTO_TEST_CASE(a_refusal_is_told_in_its_own_words_with_status_1) {
    for (const std::vector<std::string>& command :
         std::vector<std::vector<std::string>>{{"status"},
                                               {"pause", "x"},
                                               {"resume", "x"},
                                               {"check", "x"},
                                               {"history", "x"},
                                               {"test-action", "x", "--dry-run"}}) {
        const auto result =
            answered(R"({"ok": false, "error": "there is no cat 'x'; did you mean 'y'?"})", command);
        BOOST_TEST(result.status == 1);
        BOOST_TEST(result.output == "healthcheckctl: there is no cat 'x'; did you mean 'y'?\n");
    }
}

BOOST_AUTO_TEST_CASE(check_prints_the_verdict_and_succeeds_by_it) {
    std::string request;
    const auto verdict = [&](const std::string& word) {
        return answered(R"({"ok": true, "cat": "cat1", "verdict": ")" + word +
                            R"(", "message": "rss is high", "value": 2048.5, "limit": 1024, "unit": "MB",
                            "tookMs": 0.063, "state": "failing"})",
                        {"check", "cat1"}, &request);
    };
    BOOST_TEST(verdict("success").status == 0);
    BOOST_TEST(request == "check name=cat1");
    for (const char* word : {"failure", "idle", "unknown"})
        BOOST_TEST(verdict(word).status == 1, word);
    BOOST_TEST(verdict("failure").output ==
               "cat1: failure: rss is high (2048.5 MB of 1024 MB), took 0.063 ms; now failing\n");
}

BOOST_AUTO_TEST_CASE(a_test_of_an_action_prints_what_would_be_done) {
    std::string request;
    const auto result = answered(
        R"({"ok": true, "cat": "cat1", "lines": ["would restart web (pid 12) through supervisord", "would tell mail to a@b"]})",
        {"test-action", "cat1", "--dry-run"}, &request);
    BOOST_TEST(request == "test-action name=cat1");
    BOOST_TEST(result.status == 0);
    BOOST_TEST(result.output == "cat1, if it failed now:\n"
                                "  would restart web (pid 12) through supervisord\n"
                                "  would tell mail to a@b\n");
}

BOOST_AUTO_TEST_CASE(a_test_of_an_action_without_dry_run_asks_nothing) {
    std::string request;
    const auto result = answered(R"({"ok": true})", {"test-action", "cat1"}, &request);
    BOOST_TEST(result.status == 2);
    BOOST_TEST(request.empty());
}

BOOST_AUTO_TEST_CASE(reload_prints_what_changed_or_every_problem) {
    std::string request;
    auto result = answered(
        R"({"ok": true, "added": ["new"], "removed": ["x", "y"], "changed": [], "unchanged": 12, "notes": ["logDir: at the next start"]})",
        {"reload"}, &request);
    BOOST_TEST(request == "reload");
    BOOST_TEST(result.status == 0);
    BOOST_TEST(result.output ==
               "added: new\nremoved: x, y\nunchanged: 12\nnote: logDir: at the next start\n");
    result = answered(
        R"({"ok": false, "error": "/etc/hc.yaml is not usable", "problems": ["/etc/hc.yaml:3:5: error: a", "/etc/hc.yaml:4:5: error: b"]})",
        {"reload"});
    BOOST_TEST(result.status == 1);
    BOOST_TEST(result.output == "/etc/hc.yaml:3:5: error: a\n/etc/hc.yaml:4:5: error: b\n"
                                "healthcheckctl: /etc/hc.yaml is not usable\n");
}

BOOST_AUTO_TEST_CASE(history_is_a_table_of_probes_actions_and_states) {
    std::string request;
    const auto result = answered(R"({"ok": true, "cat": "cat1", "events": [
        {"at": "2026-11-25T20:00:00.123Z", "kind": "verdict", "verdict": "failure", "value": 2048, "unit": "MB",
         "tookMs": 1.5, "text": "rss is high", "state": "failing"},
        {"at": "2026-11-25T20:00:01.000Z", "kind": "state", "text": "failing -> failed"},
        {"at": "2026-11-25T20:00:02Z", "kind": "action", "action": "restart", "ok": true, "text": "new pid 13"},
        {"at": "2026-11-25T20:00:03Z", "kind": "action", "action": "exec", "ok": false, "text": "status 1"}]})",
                                 {"history", "cat1"}, &request);
    BOOST_TEST(request == "history name=cat1");
    BOOST_TEST(result.status == 0);
    const auto lines = lines_of(result.output);
    BOOST_TEST_REQUIRE(lines.size() == 5, result.output);
    const std::string at = local_time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 25) + 20h);
    BOOST_TEST(lines[1] == at + "  probe    failure  2048 MB  1.5 ms  failing  rss is high", result.output);
    BOOST_TEST(has(lines[2], "  state  "));
    BOOST_TEST(lines[2].ends_with("failing -> failed"));
    BOOST_TEST(has(lines[3], "  restart  done  "));
    BOOST_TEST(has(lines[4], "  exec     failed  "));
}

BOOST_AUTO_TEST_CASE(every_command_ends_with_2_without_a_daemon) {
    const TempDir dir;
    for (const std::vector<std::string>& command : every_command()) {
        const auto result = healthcheckctl(dir.file("none.sock"), command);
        BOOST_TEST(result.status == 2, command[0]);
        BOOST_TEST(has(result.output, "no answer from healthcheckd at " + dir.file("none.sock")));
    }
}

BOOST_AUTO_TEST_CASE(an_answer_that_cannot_be_written_is_no_success) {
    const ControlStub stub(status_answer("[{}]"));
    const auto result =
        run_command({"/bin/sh", "-c", healthcheckctl_binary() + " -s " + stub.path() + " status >/dev/full"});
    BOOST_TEST(result.status == 2);
}

BOOST_AUTO_TEST_CASE(ages_are_said_in_the_unit_that_fits) {
    const std::vector<std::pair<std::chrono::seconds, std::string>> ages = {
        {-5s, "0 s"},       {0s, "0 s"},    {119s, "119 s"}, {120s, "2 min"},
        {7199s, "119 min"}, {7200s, "2 h"}, {47h, "47 h"},   {49h, "2 d"}};
    for (const auto& [age, text] : ages)
        BOOST_TEST(age_text(age) == text);
}

BOOST_AUTO_TEST_SUITE_END()
