#include "common/proc/proc_stat.h"
#include "master/action/type/actions.h"
#include "t/fixture/basics.h"
#include "t/fixture/checks.h"
#include "t/fixture/skip.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace healthcheckd;
using namespace healthcheckd::test;
using master::ActionRequest;
using master::ActionResult;
using master::run_kill;

BOOST_AUTO_TEST_SUITE(test_action_kill)

namespace {

ActionRequest request_for(pid_t pid) {
    ActionRequest request;
    request.evidence.process.pid = pid;
    if (const auto start = start_ticks_of(pid))
        request.evidence.process.start_ticks = *start;
    return request;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_measured_process_dies_of_sigkill) {
    Subprocess target({"/bin/sh", "-c", "trap '' TERM INT; while :; do sleep 0.1; done"});
    const ActionResult result = run_kill(request_for(target.pid()));
    BOOST_TEST(result.ok, result.message);
    BOOST_TEST(
        has(result.message, "killed pid " + std::to_string(target.pid()) + " (SIGKILL), ended after "));
    const int status = target.wait(5s);
    BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
}

BOOST_AUTO_TEST_CASE(a_stopped_process_dies_too) {
    Subprocess target({"/bin/sleep", "1000"});
    target.signal(SIGSTOP);
    BOOST_REQUIRE(wait_until([&] {
        const auto stat = read_proc_stat(target.pid());
        return stat && stat->state == 'T';
    }));
    BOOST_TEST(run_kill(request_for(target.pid())).ok);
    BOOST_TEST(target.wait(5s) != -1);
}

BOOST_AUTO_TEST_CASE(a_stranger_with_the_same_number_lives) {
    Subprocess stranger({"/bin/sleep", "1000"});
    ActionRequest request = request_for(stranger.pid());
    request.evidence.process.start_ticks -= 1;
    const ActionResult result = run_kill(request);
    BOOST_TEST(!result.ok);
    BOOST_TEST(has(result.message, "is another process now; nothing done"));
    BOOST_TEST(stranger.wait(200ms) == -1);
}

BOOST_AUTO_TEST_CASE(a_process_without_a_known_start_lives) {
    Subprocess target({"/bin/sleep", "1000"});
    ActionRequest request = request_for(target.pid());
    request.evidence.process.start_ticks = 0;
    const ActionResult result = run_kill(request);
    BOOST_TEST(!result.ok);
    BOOST_TEST(has(result.message, "start time was not measured"), result.message);
    BOOST_TEST(target.wait(200ms) == -1);
}

BOOST_AUTO_TEST_CASE(of_another_user_it_is_killed_by_name_only_when_the_program_is_that_users) {
    need_root("needs root, to run a program as somebody else");
    const TempDir dir;
    const std::string name = "hcd-kill-" + std::to_string(::getpid());
    std::filesystem::copy_file("/bin/sleep", dir.file(name));
    // Its parent is not the test, which is healthcheckd here.
    const CommandResult started =
        run_command({"/bin/sh", "-c",
                     "setpriv --reuid 61234 --clear-groups setsid " + dir.file(name) +
                         " 1000 </dev/null >/dev/null 2>&1 & echo $!"});
    const pid_t pid = std::stoi(started.output);
    BOOST_TEST_REQUIRE(wait_until(
        [&] { return read_file("/proc/" + std::to_string(pid) + "/cmdline").starts_with(dir.file(name)); }));
    ActionRequest request = request_for(pid);
    request.cat.set_type(kMemCheck);
    request.cat.program = name;
    request.cat.pid_get = PidGet::name;
    const ActionResult refused = run_kill(request);
    BOOST_TEST(!refused.ok);
    BOOST_TEST(has(refused.message, "of user 61234 goes by the name"), refused.message);
    request.program_user = 61234;
    const ActionResult result = run_kill(request);
    BOOST_TEST(result.ok, result.message);
    if (!result.ok)
        send_signal(pid, SIGKILL);
}

BOOST_AUTO_TEST_CASE(by_a_pid_file_that_a_group_may_write_nobody_is_killed) {
    const TempDir dir;
    // Its parent is not the test, which is healthcheckd here.
    const CommandResult started =
        run_command({"/bin/sh", "-c", "setsid /bin/sleep 1000 </dev/null >/dev/null 2>&1 & echo $!"});
    const pid_t pid = std::stoi(started.output);
    ActionRequest request = request_for(pid);
    request.cat.set_type(kMemCheck);
    request.cat.program = "gateway";
    request.cat.pid_get = PidGet::file;
    request.cat.pid_file = dir.write("x.pid", std::to_string(pid) + "\n/srv\n");
    for (const mode_t mode : {0664, 0660}) {
        BOOST_TEST_REQUIRE(::chmod(request.cat.pid_file.c_str(), mode) == 0);
        const ActionResult refused = run_kill(request);
        BOOST_TEST(!refused.ok);
        BOOST_TEST(has(refused.message, "refused to kill pid " + std::to_string(pid) + ": pid file "),
                   refused.message);
        BOOST_TEST(has(refused.message, "can be written by group"), refused.message);
        BOOST_TEST(::kill(pid, 0) == 0);
    }
    BOOST_TEST_REQUIRE(::chmod(request.cat.pid_file.c_str(), 0644) == 0);
    const ActionResult result = run_kill(request);
    BOOST_TEST(result.ok, result.message);
    if (!result.ok)
        send_signal(pid, SIGKILL);
}

BOOST_AUTO_TEST_CASE(what_has_ended_is_left_in_peace) {
    Subprocess target({"/bin/sleep", "1000"});
    const ActionRequest request = request_for(target.pid());
    target.signal(SIGKILL);
    // First a zombie, then reaped.
    BOOST_REQUIRE(wait_until([&] {
        const auto stat = read_proc_stat(target.pid());
        return stat && stat->state == 'Z';
    }));
    BOOST_TEST(has(run_kill(request).message, "has already ended"));
    BOOST_REQUIRE(target.wait(5s) != -1);
    const ActionResult result = run_kill(request);
    BOOST_TEST(has(result.message, "has already ended"));
}

BOOST_AUTO_TEST_CASE(no_measured_process_is_said_and_nothing_done) {
    ActionRequest request;
    request.evidence.process = {.pid = 0, .start_ticks = 5};
    const ActionResult result = run_kill(request);
    BOOST_TEST(!result.ok);
    BOOST_TEST(has(result.message, "no process was measured"));
}

BOOST_AUTO_TEST_CASE(init_groups_and_healthcheckd_itself_are_refused) {
    for (const pid_t pid : {-1, -::getpid(), 1, ::getpid(), ::getppid()}) {
        ActionRequest request = request_for(pid);
        // The true start time where there is one, so that nothing but the refusal stands in the way.
        if (request.evidence.process.start_ticks == 0)
            request.evidence.process.start_ticks = 1;
        const ActionResult result = run_kill(request);
        BOOST_TEST(!result.ok);
        BOOST_TEST(has(result.message, "refused to kill pid " + std::to_string(pid)), result.message);
    }
}

BOOST_AUTO_TEST_CASE(another_child_of_the_master_is_refused) {
    // This process plays the master: the forked child is the action, and `worker` its sister.
    Subprocess worker({"/bin/sleep", "1000"});
    const ActionRequest request = request_for(worker.pid());
    const pid_t action = ::fork();
    if (action == 0)
        ::_exit(has(run_kill(request).message, "it is healthcheckd itself") ? 0 : 1);
    int status = -1;
    BOOST_REQUIRE_EQUAL(::waitpid(action, &status, 0), action);
    BOOST_TEST(status == 0);
    BOOST_TEST(worker.wait(200ms) == -1);
}

BOOST_AUTO_TEST_SUITE_END()
