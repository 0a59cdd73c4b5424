// healthcheckctl on a terminal: colours, and the live picture of `watch`.
#include "common/text/width.h"
#include "t/fixture/basics.h"
#include "t/fixture/daemon/control_stub.h"
#include "t/fixture/daemon/terminal.h"
#include "t/fixture/slower.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <memory>
#include <sstream>
#include <sys/wait.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_ctl_terminal)

namespace {

constexpr char kFailed[] = R"([{}, {"name": "cat2", "state": "failed"}])";
constexpr char kOtherScreen[] = "\x1b[?1049h";
constexpr char kOwnScreen[] = "\x1b[?1049l";

std::vector<std::string> command(const ControlStub& stub, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {healthcheckctl_binary(), "-s", stub.path()});
    return arguments;
}

bool ended_with(int wait_status, int status) {
    return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == status;
}

// Does the terminal have its own screen, cursor and settings again?
bool given_back(Terminal& terminal) {
    const termios& before = terminal.first_settings();
    const std::string& shown = terminal.shown();
    const termios now = terminal.settings();
    return shown.rfind(kOwnScreen) != std::string::npos &&
           shown.rfind(kOwnScreen) > shown.rfind(kOtherScreen) &&
           shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l") && now.c_lflag == before.c_lflag &&
           now.c_cc[VSUSP] == before.c_cc[VSUSP];
}

}  // namespace

BOOST_AUTO_TEST_CASE(colours_are_for_terminals_without_no_color) {
    const ControlStub stub(status_answer(kFailed));
    const auto shown = [&](std::vector<std::pair<std::string, std::string>> env) {
        Terminal terminal(command(stub, {"status"}), std::move(env));
        BOOST_TEST(ended_with(terminal.wait(10s), 1));
        return terminal.shown();
    };
    const std::string coloured = shown({});
    BOOST_TEST(has(coloured, "\x1b[32mhealthy"), coloured);
    BOOST_TEST(has(coloured, "\x1b[1;31mfailed"));
    BOOST_TEST(has(shown({{"NO_COLOR", ""}}), "\x1b[1;31mfailed"));
    BOOST_TEST(!has(shown({{"NO_COLOR", "1"}}), "\x1b"));
    BOOST_TEST(!has(shown({{"TERM", "dumb"}}), "\x1b"));
    BOOST_TEST(!has(healthcheckctl(stub.path(), {"status"}).output, "\x1b"));
}

BOOST_AUTO_TEST_CASE(colours_do_not_move_the_columns) {
    const ControlStub stub(status_answer(R"([{"program": "网关"}, {"name": "cat2", "state": "failed"}])"));
    Terminal terminal(command(stub, {"status"}));
    terminal.wait(10s);
    std::string plain;
    const std::string& shown = terminal.shown();
    for (std::size_t i = 0; i < shown.size(); ++i)
        if (shown[i] == '\x1b')
            i = shown.find('m', i);
        else if (shown[i] != '\r')
            plain += shown[i];
    BOOST_TEST(plain == healthcheckctl(stub.path(), {"status"}).output);
}

BOOST_AUTO_TEST_CASE(watch_draws_again_and_q_gives_the_terminal_back) {
    std::atomic<int> asked{0};
    const ControlStub stub([&](const std::string&, int fd) {
        ControlStub::send_all(
            fd, status_answer("[{\"actions\": {\"fired\": " + std::to_string(1000 + ++asked) + "}}]"));
    });
    Terminal terminal(command(stub, {"watch", "-n", "0.2"}));
    BOOST_TEST(terminal.shows(kOtherScreen));
    BOOST_TEST(terminal.shows("1001"));
    BOOST_TEST(terminal.shows("1003"));  // by a connection of its own each time
    terminal.type("q");
    BOOST_TEST(ended_with(terminal.wait(10s), 0));
    BOOST_TEST(given_back(terminal));
}

BOOST_AUTO_TEST_CASE(signals_end_watch_and_give_the_terminal_back) {
    const ControlStub stub(status_answer("[{}]"));
    for (const char* how : {"\x03", "\x1c"}) {  // Ctrl-C: SIGINT, Ctrl-backslash: SIGQUIT
        Terminal terminal(command(stub, {"watch"}));
        BOOST_TEST_REQUIRE(terminal.shows("cat1"));
        terminal.type(how);
        BOOST_TEST(ended_with(terminal.wait(10s), 0));
        BOOST_TEST(given_back(terminal));
    }
}

BOOST_AUTO_TEST_CASE(watch_ends_at_once_while_a_frozen_daemon_does_not_answer) {
    const ControlStub stub([](const std::string&, int fd) { ControlStub::wait_for_end(fd); });
    Terminal terminal(command(stub, {"watch"}));
    BOOST_TEST_REQUIRE(wait_until([&] { return !stub.requests().empty(); }));
    const auto start = std::chrono::steady_clock::now();
    terminal.type("q");
    BOOST_TEST(ended_with(terminal.wait(10s), 0));
    BOOST_TEST((std::chrono::steady_clock::now() - start < 3s * slower()));
}

BOOST_AUTO_TEST_CASE(watch_goes_on_while_the_daemon_is_away_and_says_so) {
    auto stub = std::make_unique<ControlStub>(status_answer("[{}]"));
    const std::string path = stub->path();
    const std::string moved = path + ".moved";
    Terminal terminal(command(*stub, {"watch", "-n", "0.1"}));
    BOOST_TEST_REQUIRE(terminal.shows("cat1"));
    std::filesystem::rename(path, moved);
    BOOST_TEST_REQUIRE(terminal.shows("there is no such socket"));
    BOOST_TEST(terminal.shows("it answered "));
    std::filesystem::rename(moved, path);
    BOOST_TEST(terminal.shows("cat1", terminal.shown().size()));
    terminal.type("q");
    BOOST_TEST(ended_with(terminal.wait(10s), 0));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_on_the_screen_is_cut_and_counted_after_what_needs_attention) {
    std::string cats = "[";
    for (int i = 100; i < 300; ++i)
        cats += "{\"name\": \"cat" + std::to_string(i) + "\"},";
    const ControlStub stub(status_answer(cats + R"({"name": "last", "state": "failed"}])"));
    Terminal terminal(command(stub, {"watch", "-n", "60"}), {{"NO_COLOR", "1"}}, 60, 10);
    BOOST_TEST_REQUIRE(terminal.shows("... and 195 more"));
    BOOST_TEST_REQUIRE(terminal.shows("\x1b[J"));
    const std::string small = terminal.shown();
    BOOST_TEST(has(small, "last  "));
    BOOST_TEST(!has(small, "cat105"));
    const std::string picture = small.substr(small.find("\x1b[H"));
    std::istringstream lines(picture.substr(std::string("\x1b[H").size()));
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count)
        BOOST_TEST(text_width(line.substr(0, line.find("\x1b[K"))) <= 60, line);
    BOOST_TEST(count == 10);
    // A larger window is used at once, long before the next picture is due.
    terminal.resize(200, 300);
    BOOST_TEST(terminal.shows("cat299", small.size()));
    terminal.type("q");
    BOOST_TEST(ended_with(terminal.wait(10s), 0));
}

BOOST_AUTO_TEST_CASE(watch_without_a_terminal_prints_one_table_after_another) {
    const ControlStub stub(status_answer(kFailed));
    const TempDir dir;
    Subprocess watch(command(stub, {"watch", "-n", "0.1"}), {.env = {}, .output = dir.file("output")});
    BOOST_TEST(wait_until([&] {
        const std::string output = watch.output();
        std::size_t tables = 0;
        for (std::size_t at = 0; (at = output.find("CAT ", at)) != std::string::npos; ++at)
            ++tables;
        return tables >= 3;
    }));
    BOOST_TEST(!has(watch.output(), "\x1b"));
    watch.signal(SIGTERM);
    BOOST_TEST(WIFSIGNALED(watch.wait(10s)));
}

BOOST_AUTO_TEST_SUITE_END()
