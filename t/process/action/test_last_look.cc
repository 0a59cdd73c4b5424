// What is found out in the process that becomes a command's shell, and what becomes of the command when that
// hangs or fails.
#include "master/action/command.h"
#include "t/fixture/basics.h"
#include "t/fixture/process/action_child.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <stdexcept>

using namespace healthcheckd;
using namespace healthcheckd::test;
using master::LastLook;

namespace {

struct Outcome {
    std::string remark, output;
    std::chrono::milliseconds took{0};  // of all of it
    bool by_itself = false;
};

Outcome run_with(const std::function<LastLook()>& look, std::chrono::milliseconds look_limit = 5s) {
    const TempDir dir;
    const auto begin = std::chrono::steady_clock::now();
    ActionChild child([&] {
        std::optional<master::CommandGuard> guard(std::in_place);
        master::ShellCommand command;
        command.text = "echo \"<$VALUE>\"";
        command.env = {{"VALUE", "none"}};
        command.limit = 20s;
        command.last_look = look;
        command.looked_up = "VALUE";
        command.look_limit = look_limit;
        const auto end = master::run_shell(command, *guard);
        if (!end)
            return;
        dir.write("remark", end->remark);
        dir.write("output", end->output);
        dir.write("how", end->how == master::CommandEnd::How::by_itself ? "by itself" : "not");
    });
    BOOST_TEST(child.wait(30s) == 0);
    return {read_file(dir.file("remark")), read_file(dir.file("output")),
            std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin),
            read_file(dir.file("how")) == "by itself"};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_last_look)

BOOST_AUTO_TEST_CASE(what_is_found_goes_into_the_environment_and_the_remark) {
    const Outcome got = run_with([] { return LastLook{"12", "seen"}; });
    BOOST_TEST(got.output == "<12>\n");
    BOOST_TEST(got.remark == "seen");
    BOOST_TEST(got.by_itself);
}

BOOST_AUTO_TEST_CASE(a_look_that_hangs_costs_the_command_its_limit_and_the_value_and_no_more) {
    const Outcome got = run_with(
        []() -> LastLook {
            for (;;)
                ::pause();
        },
        300ms);
    BOOST_TEST(got.output == "<none>\n");
    BOOST_TEST(got.remark == "it could not be looked at again in time");
    BOOST_TEST(got.by_itself);
    BOOST_TEST((got.took >= 300ms && got.took < 8s), got.took.count() << " ms");
}

BOOST_AUTO_TEST_CASE(a_look_that_fails_costs_the_command_the_value_alone) {
    const Outcome got = run_with([]() -> LastLook { throw std::runtime_error("no memory"); });
    BOOST_TEST(got.output == "<>\n");
    BOOST_TEST(got.remark == "no memory");
    BOOST_TEST(got.by_itself);
}

BOOST_AUTO_TEST_CASE(a_remark_is_cut) {
    const Outcome got = run_with([] { return LastLook{"", std::string(100'000, 'x')}; });
    BOOST_TEST(got.remark == std::string(500, 'x'));
}

BOOST_AUTO_TEST_SUITE_END()
