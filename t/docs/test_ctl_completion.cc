// conf/healthcheckctl.bash, in a real bash.
#include "common/wire/control.h"
#include "t/fixture/daemon/control_stub.h"
#include "t/fixture/slower.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_ctl_completion)

namespace {

// What bash would offer at the end of the line, one word a line.
std::string completed(const std::string& line) {
    const std::string script = ". " + (source_dir() / "conf" / "healthcheckctl.bash").string() +
                               "\nCOMP_LINE=$1 COMP_POINT=${#1}\n_healthcheckctl\n"
                               "((${#COMPREPLY[@]})) && printf '%s\\n' \"${COMPREPLY[@]}\"";
    return run_command({"bash", "--norc", "-c", script, "bash", line}, 20s).output;
}

std::string with(const ControlStub& stub, const std::string& rest) {
    return completed(healthcheckctl_binary() + " -s " + stub.path() + " " + rest);
}

constexpr char kCats[] = R"([{"name": "cat1", "program": "web:web_00"}, {"name": "cat2", "program": "网关"},
    {"name": "grp/a", "program": "web:web_01"}, {"name": "grp/b", "program": "web:web_00"}])";

}  // namespace

BOOST_AUTO_TEST_CASE(commands_and_options_are_offered_where_they_fit) {
    BOOST_TEST(completed("healthcheckctl ") ==
               "status\nwatch\npause\nresume\ncheck\ntest-action\nreload\nhistory\n");
    std::string commands;
    for (const ControlCommand& each : control_commands())
        commands += std::string(each.name) + '\n';
    BOOST_TEST(completed("healthcheckctl ") == commands);
    BOOST_TEST(completed("healthcheckctl re") == "resume\nreload\n");
    BOOST_TEST(completed("healthcheckctl --") == "--socket\n--timeout\n--help\n--version\n");
    BOOST_TEST(completed("healthcheckctl status --") == "--json\n--failed\n");
    BOOST_TEST(completed("healthcheckctl test-action cat1 -") == "--dry-run\n");
    BOOST_TEST(completed("healthcheckctl pause web --f") == "--for\n");
    BOOST_TEST(completed("healthcheckctl pause web --for ") == "10m\n30m\n2h\n1d\n");
    BOOST_TEST(completed("healthcheckctl reload ") == "");
    BOOST_TEST(completed("healthcheckctl history x --") == "");
}

BOOST_AUTO_TEST_CASE(names_of_cats_come_from_the_daemon_that_the_line_names) {
    const ControlStub stub(status_answer(kCats));
    BOOST_TEST(with(stub, "check ") == "cat1\ncat2\ngrp/a\ngrp/b\n");
    BOOST_TEST(with(stub, "history g") == "grp/a\ngrp/b\n");
    BOOST_TEST(with(stub, "status --json cat") == "cat1\ncat2\n");
    BOOST_TEST(completed(healthcheckctl_binary() + " --socket=" + stub.path() + " check cat2") == "cat2\n");
}

BOOST_AUTO_TEST_CASE(pause_and_resume_know_programs_too_with_their_colons) {
    const ControlStub stub(status_answer(kCats));
    BOOST_TEST(with(stub, "pause w") == "web:web_00\nweb:web_01\n");
    BOOST_TEST(with(stub, "resume 网") == "网关\n");
    // What follows the colon only: bash keeps the rest of the line.
    BOOST_TEST(with(stub, "pause web:w") == "web_00\nweb_01\n");
}

BOOST_AUTO_TEST_CASE(names_with_blanks_are_offered_as_the_shell_takes_them) {
    const ControlStub stub(status_answer(R"([{"name": "web: memory used", "program": "a b"},
        {"name": "web up", "program": "a b"}, {"name": "网关 内存", "program": "a b"}])"));
    BOOST_TEST(with(stub, "check w") == "web:\\ memory\\ used\nweb\\ up\n");
    BOOST_TEST(with(stub, "check web\\ ") == "web\\ up\n");
    BOOST_TEST(with(stub, "check web\\ u") == "web\\ up\n");
    // What follows the colon only.
    BOOST_TEST(with(stub, "check web:\\ m") == "\\ memory\\ used\n");
    BOOST_TEST(with(stub, "history 网") == "网关\\ 内存\n");
    BOOST_TEST(with(stub, "pause a") == "a\\ b\n");
}

BOOST_AUTO_TEST_CASE(a_daemon_that_is_away_or_frozen_is_passed_over_silently_and_soon) {
    BOOST_TEST(completed(healthcheckctl_binary() + " -s /nonexistent/x.sock check ") == "");
    const ControlStub frozen([](const std::string&, int fd) { ControlStub::wait_for_end(fd); });
    const auto start = std::chrono::steady_clock::now();
    BOOST_TEST(with(frozen, "check ") == "");
    BOOST_TEST((std::chrono::steady_clock::now() - start < 8s * slower()));
}

BOOST_AUTO_TEST_SUITE_END()
