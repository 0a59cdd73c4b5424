// The command line of healthcheckctl.
#include "common/config/config.h"
#include "master/ctl/options.h"

#include "t/fixture/basics.h"
#include "t/fixture/daemon/control_stub.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_ctl_options)

namespace {

Result<ctl::Options> parsed(std::vector<std::string> words) {
    words.insert(words.begin(), "healthcheckctl");
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    return ctl::parse_options(static_cast<int>(words.size()), argv.data());
}

}  // namespace

BOOST_AUTO_TEST_CASE(durations_have_a_unit_and_a_bound) {
    const std::vector<std::pair<std::string, std::uint64_t>> good = {
        {"1s", 1000}, {"90s", 90'000}, {"30m", 1'800'000}, {"2h", 7'200'000}, {"1d", 86'400'000}};
    for (const auto& [text, ms] : good) {
        const auto duration = ctl::parse_duration(text);
        BOOST_TEST_REQUIRE(static_cast<bool>(duration), text);
        BOOST_TEST(*duration == ms);
    }
    for (const char* text : {"", "30", "m", "30 m", "30M", "1.5h", "-1s", "0s", "1h30m", "3661d",
                             "99999999999999999999s", "18446744073709551615d"})
        BOOST_TEST(!ctl::parse_duration(text), text);
}

BOOST_AUTO_TEST_CASE(options_may_stand_before_and_after_the_command) {
    const auto pause = parsed({"pause", "web:web_00", "--for", "30m", "-s", "/run/x.sock"});
    BOOST_TEST_REQUIRE(static_cast<bool>(pause));
    BOOST_TEST(pause->command->name == "pause");
    BOOST_TEST(pause->name == "web:web_00");
    BOOST_TEST(pause->for_ms == 1'800'000);
    BOOST_TEST(pause->socket == "/run/x.sock");
    const auto watch = parsed({"-n", "0.5", "watch"});
    BOOST_TEST_REQUIRE(static_cast<bool>(watch));
    BOOST_TEST(watch->every.count() == 500);
    BOOST_TEST(watch->socket == Config().socket);
    const auto dashes = parsed({"check", "--", "-odd"});
    BOOST_TEST_REQUIRE(static_cast<bool>(dashes));
    BOOST_TEST(dashes->name == "-odd");
    BOOST_TEST(parsed({"status", "--json"})->json);
    BOOST_TEST(parsed({"status", "--json", "--failed"})->failed);
    BOOST_TEST(parsed({"test-action", "cat1", "--dry-run"})->dry_run);
}

BOOST_AUTO_TEST_CASE(wrong_usage_ends_with_status_2_and_the_nearest_that_is_right) {
    struct Row {
        std::vector<std::string> arguments;
        std::string output;
    };
    const std::vector<Row> rows = {
        {{}, "no command is given"},
        {{"statsu"}, "unknown command 'statsu'; did you mean 'status'?"},
        {{"test_action", "x"}, "did you mean 'test-action'?"},
        {{"x\x1b[2Jy"}, "unknown command 'x\\x1B[2Jy'"},
        {{"status", "--jsn"}, "unknown option '--jsn'; did you mean '--json'?"},
        {{"status", "-x"}, "unknown option '-x'"},
        {{"status", "a", "b"}, "unexpected argument 'b'"},
        {{"watch", "--failed"}, "watch has no option --failed"},
        {{"status", "--for", "30m"}, "status has no option --for"},
        {{"watch", "--json"}, "watch has no option --json"},
        {{"watch", "-n", "0"}, "'0' is not from 0.1 to 3600 seconds"},
        {{"watch", "-n", "nan"}, "'nan' is not from"},
        {{"pause"}, "pause needs the name of a cat or a program"},
        {{"pause", "web", "--for", "30"}, "'30' is no duration"},
        {{"pause", "web", "--for"}, "option '--for' needs a value"},
        {{"check"}, "check needs the name of a cat"},
        {{"check", ""}, "is no name"},
        {{"reload", "x"}, "unexpected argument 'x'"},
        {{"test-action", "cat1"}, "add --dry-run"},
        {{"-s", "", "status"}, "needs a path"},
    };
    for (const Row& row : rows) {
        std::vector<std::string> argv{healthcheckctl_binary()};
        argv.insert(argv.end(), row.arguments.begin(), row.arguments.end());
        const CommandResult result = run_command(argv);
        BOOST_TEST_CONTEXT(row.output << "; it gave\n" << result.output) {
            BOOST_TEST(result.status == 2);
            BOOST_TEST(result.output.find(row.output) != std::string::npos);
            BOOST_TEST(result.output.find("Try 'healthcheckctl --help'") != std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_CASE(help_and_version_need_no_daemon) {
    const CommandResult help = run_command({healthcheckctl_binary(), "--help"});
    BOOST_TEST(help.status == 0);
    for (const char* word : {"status", "watch", "pause", "resume", "check", "test-action", "reload",
                             "history", "--json", "--for", "--dry-run", "--socket", "--version", "-n "})
        BOOST_TEST(help.output.find(word) != std::string::npos, word);
    const CommandResult version = run_command({healthcheckctl_binary(), "--version"});
    BOOST_TEST(version.status == 0);
    BOOST_TEST(version.output.starts_with("healthcheckctl "));
}

BOOST_AUTO_TEST_CASE(the_manual_page_has_every_command_and_option_and_the_socket) {
    const std::string page = read_file((source_dir() / "man" / "healthcheckctl.1").string());
    for (const char* command :
         {"status", "watch", "pause", "resume", "check", "test-action", "reload", "history"})
        BOOST_TEST(page.find(std::string("\n.It Cm ") + command) != std::string::npos, command);
    for (const char* option : {"Fl Fl json", "Fl Fl for", "Fl Fl dry-run", "Fl Fl socket", "Fl Fl interval",
                               "Fl n", "Fl s", "Fl Fl help", "Fl Fl version"})
        BOOST_TEST(page.find(option) != std::string::npos, option);
    BOOST_TEST(page.find(kDefaultSocket) != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
