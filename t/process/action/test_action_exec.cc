#include "common/proc/proc_stat.h"
#include "master/action/command.h"
#include "master/action/type/actions.h"
#include "t/fixture/basics.h"
#include "t/fixture/checks.h"
#include "t/fixture/process/action_child.h"

#include "t/fixture/slower.h"
#include "t/fixture/this_build.h"
#include <algorithm>
#include <array>

#include <boost/test/unit_test.hpp>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <sstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::test;
using master::ActionRequest;
using master::ActionResult;

BOOST_AUTO_TEST_SUITE(test_action_exec)

namespace {

struct Outcome {
    ActionResult result;
    std::chrono::milliseconds took{0};
    std::size_t swept = 0;
    std::chrono::milliseconds stage_limit{0};
    std::string stage;
    long max_rss_kb = 0;
};

// Runs the action in a child of its own; `sweep`: what was left behind has until then, from the start on.
Outcome exec(const ActionRequest& request, std::optional<std::chrono::milliseconds> sweep = {}) {
    const TempDir dir;
    const auto start = std::chrono::steady_clock::now();
    ActionChild child([&] {
        std::chrono::milliseconds stage_limit{0};
        std::string stage;
        std::optional<master::CommandGuard> guard(std::in_place, master::CommandGuard::Grouping::none);
        const ActionResult result =
            run(request, guard, [&](std::chrono::milliseconds limit, std::string_view what) {
                stage_limit = limit;
                stage = what;
            });
        const auto took =
            std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
        const std::size_t swept = sweep ? master::sweep_leftovers(start + *sweep, *guard) : 0;
        std::ofstream(dir.file("result"))
            << result.ok << ' ' << took.count() << ' ' << swept << ' ' << stage_limit.count() << '\n'
            << stage << '\n'
            << result.message << '\n'
            << result.output;
    });
    BOOST_REQUIRE_EQUAL(child.wait(60s), 0);
    Outcome outcome;
    std::istringstream in(read_file(dir.file("result")));
    long took = 0, stage_limit = 0;
    in >> outcome.result.ok >> took >> outcome.swept >> stage_limit;
    in.ignore();
    std::getline(in, outcome.stage);
    std::getline(in, outcome.result.message);
    outcome.result.output.assign(std::istreambuf_iterator<char>(in), {});
    outcome.took = std::chrono::milliseconds(took);
    outcome.stage_limit = std::chrono::milliseconds(stage_limit);
    outcome.max_rss_kb = child.usage().ru_maxrss;
    return outcome;
}

ProcessId process_of(pid_t pid) {
    const auto start = start_ticks_of(pid);
    BOOST_TEST_REQUIRE(static_cast<bool>(start));
    return {pid, *start};
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_evidence_is_in_the_environment) {
    ::setenv("HEALTHCHECK_PID", "stale", 1);
    const Subprocess measured({"/bin/sleep", "1000"});
    ActionRequest request = request_for("env | grep ^HEALTHCHECK_ | sort; test -n \"$PATH\"");
    request.evidence.process = process_of(measured.pid());
    const Outcome got = exec(request);
    ::unsetenv("HEALTHCHECK_PID");
    BOOST_TEST(got.result.ok, got.result.message);
    BOOST_TEST(got.result.output == "HEALTHCHECK_CAT=cat1\n"
                                    "HEALTHCHECK_LIMIT=1024\n"
                                    "HEALTHCHECK_MESSAGE=rss 1031.25 MB\n"
                                    "HEALTHCHECK_PID=" +
                                        std::to_string(measured.pid()) +
                                        "\n"
                                        "HEALTHCHECK_PROGRAM=web:gateway\n"
                                        "HEALTHCHECK_STATUS=failure\n"
                                        "HEALTHCHECK_TYPE=mem\n"
                                        "HEALTHCHECK_UNIT=MB\n"
                                        "HEALTHCHECK_VALUE=1031.25\n");
}

BOOST_AUTO_TEST_CASE(a_daemon_that_a_command_starts_lives_on_and_may_go_on_writing) {
    const TempDir dir;
    const std::string script = "while sleep 0.2; do echo tick; date +%s%N > " + dir.file("alive") + "; done";
    const Outcome got = exec(request_for("setsid nohup sh -c '" + script + " # ' & echo $! > " +
                                         dir.file("pid") + "; echo started"),
                             1s);
    BOOST_TEST(got.result.ok, got.result.message);
    BOOST_TEST(has(got.result.output, "started"));
    BOOST_TEST(got.swept == 0U);
    const pid_t daemon = static_cast<pid_t>(std::stol(read_file(dir.file("pid"))));
    const std::string before = read_file(dir.file("alive"));
    // The action has ended, and with it the reader of the command's output.
    BOOST_TEST(wait_until([&] { return read_file(dir.file("alive")) != before; }), "it writes and lives");
    const std::string again = read_file(dir.file("alive"));
    BOOST_TEST(wait_until([&] { return read_file(dir.file("alive")) != again; }));
    ::kill(-daemon, SIGKILL);
    send_signal(daemon, SIGKILL);
}

BOOST_AUTO_TEST_CASE(what_a_command_leaves_in_its_own_session_ends_in_time_also_beside_a_daemon) {
    const TempDir dir;
    const Outcome got = exec(request_for("setsid sleep 100 & echo $! > " + dir.file("daemon") +
                                         "; sleep 100 & echo $! > " + dir.file("job")),
                             1s);
    const auto pid_in = [&](const char* file) {
        return static_cast<pid_t>(std::stol(read_file(dir.file(file))));
    };
    BOOST_TEST(got.result.ok, got.result.message);
    BOOST_TEST(got.swept == 1U);
    BOOST_TEST(::kill(pid_in("daemon"), 0) == 0);
    BOOST_TEST(wait_until([&] { return ::kill(pid_in("job"), 0) != 0; }));
    send_signal(pid_in("daemon"), SIGKILL);
}

BOOST_AUTO_TEST_CASE(a_command_over_time_is_ended_with_its_whole_tree_daemons_included) {
    const TempDir dir;
    ActionRequest request = request_for("setsid sleep 100 & echo $! > " + dir.file("daemon") + "; sleep 100");
    request.cat.own<ExecAction>().timeout = std::chrono::seconds(1);
    const Outcome got = exec(request, 1s);
    BOOST_TEST(!got.result.ok);
    const auto daemon = static_cast<pid_t>(std::stol(read_file(dir.file("daemon"))));
    BOOST_TEST(wait_until([&] { return ::kill(daemon, 0) != 0; }));
}

BOOST_AUTO_TEST_CASE(without_a_process_the_pid_is_empty) {
    ActionRequest request = request_for("echo \"<$HEALTHCHECK_PID>\"");
    request.evidence.process = {};
    BOOST_TEST(exec(request).result.output == "<>\n");
}

BOOST_AUTO_TEST_CASE(a_process_that_is_not_the_measured_one_any_more_is_not_named_to_the_command) {
    Subprocess other({"/bin/sleep", "1000"});
    ActionRequest request = request_for("echo \"<$HEALTHCHECK_PID>\"");
    request.evidence.process = process_of(other.pid());
    BOOST_TEST(exec(request).result.output == "<" + std::to_string(other.pid()) + ">\n");
    // The number is that of another one ...
    request.evidence.process.start_ticks -= 1;
    const Outcome renumbered = exec(request);
    BOOST_TEST(renumbered.result.output == "<>\n");
    BOOST_TEST(has(renumbered.result.message, ", without HEALTHCHECK_PID: pid " +
                                                  std::to_string(other.pid()) + " is another process now"),
               renumbered.result.message);
    // ... the name means another one ...
    request.evidence.process.start_ticks += 1;
    request.cat.pid_get = PidGet::name;
    request.cat.program = "hcd-no-such-program";
    BOOST_TEST(exec(request).result.output == "<>\n");
    // ... and so does the file ...
    const TempDir dir;
    const Subprocess meant({"/bin/sleep", "1000"});
    request.cat.pid_get = PidGet::file;
    request.cat.pid_file = dir.write("pid", std::to_string(meant.pid()) + "\n");
    BOOST_TEST(exec(request).result.output == "<>\n");
    // ... or it has ended.
    request.cat.pid_get = PidGet::supervisor;
    other.signal(SIGKILL);
    BOOST_TEST_REQUIRE(wait_until([&] { return !runs(other.pid()); }));
    BOOST_TEST(exec(request).result.output == "<>\n");
}

BOOST_AUTO_TEST_CASE(what_an_action_says_that_it_does_is_not_the_text_of_the_command) {
    BOOST_TEST(exec(request_for(": hunter2secret")).stage == "runs its execCmd");
}

BOOST_AUTO_TEST_CASE(a_command_that_cannot_be_read_is_no_success) {
    ActionRequest request = request_for("true");
    request.cat.own<ExecAction>().command = {};
    const Outcome got = exec(request);
    BOOST_TEST(!got.result.ok);
    BOOST_TEST(got.result.message == "its execCmd cannot be read");
}

BOOST_AUTO_TEST_CASE(text_of_the_check_is_never_shell_text) {
    const TempDir dir;
    ActionRequest request = request_for("printf '%s' \"$HEALTHCHECK_MESSAGE\"");
    request.evidence.message =
        "$(touch " + dir.file("x") + ") `touch " + dir.file("x") + "`; touch " + dir.file("x") + " & \"'\n|";
    BOOST_TEST(exec(request).result.output == request.evidence.message);
    BOOST_TEST(!std::filesystem::exists(dir.file("x")));
}

BOOST_AUTO_TEST_CASE(the_exit_status_decides_and_is_told) {
    const Outcome good = exec(request_for("exit 0"));
    BOOST_TEST(good.result.ok);
    BOOST_TEST(good.result.message.starts_with("exit status 0 in "));
    const Outcome bad = exec(request_for("echo no; exit 3"));
    BOOST_TEST(!bad.result.ok);
    BOOST_TEST(has(bad.result.message, "exit status 3"));
    BOOST_TEST(bad.result.output == "no\n");
    BOOST_TEST(exec(request_for("kill -SEGV $$")).result.message == "killed by SIGSEGV");
    BOOST_TEST(has(exec(request_for("/no/such/program")).result.message, "exit status 127"));
}

BOOST_AUTO_TEST_CASE(both_outputs_come_in_order) {
    BOOST_TEST(exec(request_for("echo a; echo b >&2; echo c")).result.output == "a\nb\nc\n");
}

BOOST_AUTO_TEST_CASE(the_command_has_three_descriptors_and_no_more) {
    const int inherited = ::open("/dev/zero", O_RDONLY);  // not close-on-exec
    const Outcome got = exec(request_for("ls /proc/$$/fd; readlink /proc/$$/fd/0; true"));
    ::close(inherited);
    BOOST_TEST(got.result.output == "0\n1\n2\n/dev/null\n");
}

BOOST_AUTO_TEST_CASE(signals_are_as_after_login) {
    sigset_t blocked, before;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGUSR1);
    ::sigaddset(&blocked, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &blocked, &before);
    const auto old = ::signal(SIGPIPE, SIG_IGN);
    // The C library's own, which it refuses to set: the kernel's struct sigaction holds the handler first.
    constexpr std::array<std::uint64_t, 4> kIgnore{1};
    for (const int number : {32, 33})
        BOOST_TEST(::syscall(SYS_rt_sigaction, number, kIgnore.data(), nullptr, 8) == 0);
    const Outcome got = exec(request_for("grep -E '^Sig(Blk|Ign)' /proc/self/status"));
    ::signal(SIGPIPE, old);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    BOOST_TEST(got.result.output == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

BOOST_AUTO_TEST_CASE(the_command_has_a_session_a_folder_and_a_umask_of_its_own) {
    const mode_t before = ::umask(0077);
    const Outcome got =
        exec(request_for("set -- $(cut -d')' -f2 /proc/$$/stat); [ $4 = $$ ] && echo own; pwd; umask"));
    ::umask(before);
    BOOST_TEST(got.result.output == "own\n/\n0022\n");
}

BOOST_AUTO_TEST_CASE(a_command_that_hangs_gets_term_at_the_limit) {
    const Outcome got = exec(request_for("echo begun; sleep 1000", 300ms));
    BOOST_TEST(!got.result.ok);
    BOOST_TEST(got.result.message == "timed out after 0.3 s: ended by SIGTERM");
    BOOST_TEST(got.result.output == "begun\n");
    BOOST_TEST(got.took.count() >= 300);
    BOOST_TEST(got.took.count() < 2000 * slower());
    BOOST_TEST(got.stage_limit.count() >= 2300);
}

BOOST_AUTO_TEST_CASE(one_that_ignores_term_is_killed_with_its_whole_tree) {
    const TempDir dir;
    const Outcome got = exec(request_for("trap '' TERM; setsid sleep 1000 & echo $! > " + dir.file("pid") +
                                             "; while :; do sleep 0.05; done",
                                         200ms));
    BOOST_TEST(got.result.message == "timed out after 0.2 s: ended by SIGKILL");
    BOOST_TEST(got.took.count() >= 2200);
    BOOST_TEST(got.took.count() < 4500 * slower());
    const pid_t left = pid_in(dir.file("pid"));
    BOOST_REQUIRE(left > 1);
    BOOST_TEST(!runs(left));
}

BOOST_AUTO_TEST_CASE(a_daemon_that_holds_stdout_delays_nothing) {
    const TempDir dir;
    const Outcome got =
        exec(request_for("setsid sh -c 'echo $$ > " + dir.file("pid") + "; exec sleep 1000' & while [ ! -s " +
                         dir.file("pid") + " ]; do sleep 0.01; done; echo done"),
             1500ms * slower());
    BOOST_TEST(got.result.ok, got.result.message);
    BOOST_TEST(got.result.output == "done\n");
    BOOST_TEST(got.took.count() < 1500 * slower());
    BOOST_TEST(got.swept == 0u);
    const pid_t left = pid_in(dir.file("pid"));
    BOOST_REQUIRE(left > 1);
    BOOST_TEST(runs(left));
    send_signal(left, SIGKILL);
}

BOOST_AUTO_TEST_CASE(a_leftover_that_ends_by_itself_is_not_disturbed) {
    const TempDir dir;
    const Outcome got =
        exec(request_for("(sleep 0.3; echo late; echo ok > " + dir.file("x") + ") & exit 0"), 10s);
    BOOST_TEST(got.swept == 0u);
    // It could write to its stdout although nobody reads any more.
    BOOST_TEST(read_file(dir.file("x")) == "ok\n");
}

BOOST_AUTO_TEST_CASE(a_leftover_that_ignores_term_is_killed_by_the_sweep) {
    const TempDir dir;
    const Outcome got = exec(request_for("trap '' TERM; sh -c 'echo $$ > " + dir.file("pid") +
                                         "; while :; do sleep 0.05; done' & while [ ! -s " + dir.file("pid") +
                                         " ]; do sleep 0.01; done"),
                             0ms);
    BOOST_TEST(got.swept >= 1u);
    BOOST_TEST(!runs(pid_in(dir.file("pid"))));
}

BOOST_AUTO_TEST_CASE(a_gigabyte_of_output_is_drained_and_4_kib_kept) {
    const Outcome got = exec(request_for("head -c 1G /dev/zero | tr '\\0' x; echo end >&2", 50s * slower()));
    BOOST_TEST(got.result.ok, got.result.message);
    BOOST_TEST(got.result.output == std::string(4096, 'x'));
    BOOST_TEST(got.max_rss_kb < 200 * 1024 * kLarger);
}

BOOST_AUTO_TEST_SUITE_END()
