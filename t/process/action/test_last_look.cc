// What is found out in the process that becomes a command's shell, and what becomes of the command when that
// hangs, fails, or ends just at its deadline.
#include "master/action/command.h"
#include "t/fixture/basics.h"
#include "t/fixture/process/action_child.h"
#include "t/fixture/slower.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <sched.h>
#include <stdexcept>
#include <thread>

using namespace healthcheckd;
using namespace healthcheckd::test;
using master::LastLook;

BOOST_AUTO_TEST_SUITE(test_last_look)

namespace {

constexpr std::string_view kLate = "it could not be looked at again in time";

struct Outcome {
    std::string remark, output;
    std::chrono::milliseconds took{0};  // of all of it
    bool by_itself = false;
};

Outcome run_with(const std::function<LastLook()>& look, std::chrono::milliseconds look_limit = 5s,
                 const std::string& text = "echo \"<$VALUE>\"", std::chrono::milliseconds limit = 20s) {
    const TempDir dir;
    const auto begin = std::chrono::steady_clock::now();
    ActionChild child([&] {
        std::optional<master::CommandGuard> guard(std::in_place);
        master::ShellCommand command;
        command.text = text;
        command.env = {{"VALUE", "none"}};
        command.limit = limit;
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

// A look that hangs, and tells by `file` in which process.
std::function<LastLook()> hanging(const TempDir& dir) {
    return [&dir]() -> LastLook {
        dir.write("pid", std::to_string(::getpid()));
        for (;;)
            ::pause();
    };
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_found_goes_into_the_environment_and_the_remark) {
    const Outcome got = run_with([] { return LastLook{"12", "seen"}; });
    BOOST_TEST(got.output == "<12>\n");
    BOOST_TEST(got.remark == "seen");
    BOOST_TEST(got.by_itself);
}

BOOST_AUTO_TEST_CASE(a_look_that_hangs_costs_the_command_its_limit_and_the_value_and_no_more) {
    const TempDir dir;
    // Ended or a zombie: what looked is gone while the command still runs.
    const std::string text = "echo \"<$VALUE>\"; sleep 0.3; read pid < " + dir.file("pid") +
                             "; grep -qs 'State:.[^ZX]' /proc/$pid/status && echo left || echo gone";
    const Outcome got = run_with(hanging(dir), 300ms, text);
    BOOST_TEST(got.output == "<none>\ngone\n");
    BOOST_TEST(got.remark == kLate);
    BOOST_TEST(got.by_itself);
    BOOST_TEST((got.took >= 300ms && got.took < 8s * slower()), got.took.count() << " ms");
}

BOOST_AUTO_TEST_CASE(a_command_over_time_after_a_look_that_hung_is_ended_as_any_other) {
    const TempDir dir;
    const Outcome got = run_with(hanging(dir), 200ms, "echo begun; exec sleep 1000", 300ms);
    BOOST_TEST(got.output == "begun\n");
    BOOST_TEST(!got.by_itself);
    BOOST_TEST((got.took < 8s * slower()), got.took.count() << " ms");
}

BOOST_AUTO_TEST_CASE(a_look_that_fails_or_dies_costs_the_command_the_value_alone) {
    const Outcome failed = run_with([]() -> LastLook { throw std::runtime_error("no memory"); });
    BOOST_TEST(failed.output == "<>\n");
    BOOST_TEST(failed.remark == "no memory");
    BOOST_TEST(failed.by_itself);
    const Outcome died = run_with([] {
        ::raise(SIGKILL);
        return LastLook{};
    });
    BOOST_TEST(died.output == "<none>\n");
    BOOST_TEST(died.remark == "the process that looked at it ended");
    BOOST_TEST(died.by_itself);
}

BOOST_AUTO_TEST_CASE(a_look_that_ends_at_its_deadline_has_the_command_run_once) {
    // On one processor, where the two are most in each other's way.
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(::sched_getcpu()), &one);
    ::sched_setaffinity(0, sizeof one, &one);
    const TempDir dir;
    int late = 0;
    constexpr int kTries = 60;
    for (int i = 0; i < kTries; ++i) {
        const std::string file = dir.file("run" + std::to_string(i));
        const auto look = [&] {
            std::this_thread::sleep_for(20ms + std::chrono::microseconds(i * 20 - 200));
            return LastLook{"seen", ""};
        };
        const Outcome got = run_with(look, 20ms, "echo \"$VALUE\" >> " + file);
        const std::string runs = read_file(file);
        BOOST_TEST((runs == "seen\n" || runs == "none\n"), "try " << i << ": '" << runs << "'");
        BOOST_TEST((got.remark == kLate) == (runs == "none\n"), got.remark << ": " << runs);
        late += runs == "none\n" ? 1 : 0;
    }
    BOOST_TEST_MESSAGE(late << " of " << kTries << " looks were late");
}

BOOST_AUTO_TEST_CASE(a_remark_is_cut) {
    const Outcome got = run_with([] { return LastLook{"", std::string(100'000, 'x')}; });
    BOOST_TEST(got.remark == std::string(500, 'x'));
}

BOOST_AUTO_TEST_SUITE_END()
