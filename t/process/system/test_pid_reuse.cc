// A process number that a stranger has got since: in a pid namespace of the test, where numbers can be
// chosen.
#include "common/proc/proc_stat.h"
#include "master/action/type/actions.h"
#include "t/fixture/basics.h"
#include "t/fixture/skip.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fstream>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_pid_reuse)

namespace {

// What the namespace's first process found out, as its exit status.
enum Finding { kLives = 0, kKilled = 10, kCannotTry = 11, kSaidSomethingElse = 12 };

pid_t sleeper() {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::pause();
        ::_exit(0);
    }
    return pid;
}

// Runs as pid 1 of the namespace: measures a process, lets it end, gives its number to a stranger, kills
// "it".
[[noreturn]] void reuse_and_kill() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::mount("proc", "/proc", "proc", 0, nullptr) != 0)
        ::_exit(kCannotTry);
    const pid_t measured = sleeper();
    const auto start_ticks = start_ticks_of(measured);
    if (!start_ticks)
        ::_exit(kCannotTry);
    send_signal(measured, SIGKILL);
    ::waitpid(measured, nullptr, 0);
    ::usleep(50'000);  // start times are told apart by clock ticks of 10 ms
    std::ofstream("/proc/sys/kernel/ns_last_pid") << measured - 1;
    const pid_t stranger = sleeper();
    if (stranger != measured)
        ::_exit(kCannotTry);

    master::ActionRequest request;
    request.evidence.process = {measured, *start_ticks};
    const master::ActionResult result = master::run_kill(request);
    int status = 0;
    if (::waitpid(stranger, &status, WNOHANG) == stranger)
        ::_exit(kKilled);
    ::_exit(!result.ok && result.message.find("another process now") != std::string::npos
                ? kLives
                : kSaidSomethingElse);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_stranger_that_got_the_number_lives) {
    need_root("needs root, for a pid namespace");
    const pid_t outer = ::fork();
    if (outer == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::unshare(CLONE_NEWPID | CLONE_NEWNS) != 0 ||
            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
            ::_exit(kCannotTry);
        const pid_t first = ::fork();
        if (first == 0)
            reuse_and_kill();
        int status = 0;
        ::waitpid(first, &status, 0);
        ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : kCannotTry);
    }
    int status = 0;
    BOOST_TEST_REQUIRE(wait_until([&] { return ::waitpid(outer, &status, WNOHANG) == outer; }, 20s));
    BOOST_TEST_REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == kCannotTry)
        skip("no pid namespace can be made here");
    BOOST_TEST(WEXITSTATUS(status) == kLives);
}

BOOST_AUTO_TEST_SUITE_END()
