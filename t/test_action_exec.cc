#include "master/action.h"
#include "master/command.h"
#include "t/fixture/basics.h"
#include "t/fixture/skip.h"

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

namespace {

using Clock = std::chrono::steady_clock;

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

ActionRequest request_for(const std::string& command, std::chrono::milliseconds limit = 20s) {
    ActionRequest request;
    request.cat_name = "cat1";
    request.program = "web:gateway";
    request.cat.type = CheckType::mem;
    request.cat.exec_cmd = command;
    request.cat.exec_timeout = limit;
    request.evidence.verdict = Verdict::failure;
    request.evidence.value = 1031.25;
    request.evidence.limit = 1024;
    request.evidence.unit = "MB";
    request.evidence.process = {.pid = 2630, .start_ticks = 5};
    request.evidence.message = "rss 1031.25 MB";
    return request;
}

// A process that does what an action's child does; this process must not become a subreaper itself.
class ActionChild {
public:
    explicit ActionChild(const std::function<void()>& work) : pid_(::fork()) {
        if (pid_ == 0) {
            work();
            ::_exit(0);
        }
    }
    ~ActionChild() {
        if (status_ == -1)
            ::kill(pid_, SIGKILL);
        wait(10s);
    }
    ActionChild(const ActionChild&) = delete;
    ActionChild& operator=(const ActionChild&) = delete;

    pid_t pid() const { return pid_; }
    rusage usage() const { return usage_; }
    // The wait status, -1 when it still runs after `limit`.
    int wait(std::chrono::milliseconds limit) {
        wait_until(
            [&] {
                int status = 0;
                if (status_ == -1 && ::wait4(pid_, &status, WNOHANG, &usage_) == pid_)
                    status_ = status;
                return status_ != -1;
            },
            limit);
        return status_;
    }

private:
    pid_t pid_;
    int status_ = -1;
    rusage usage_{};
};

struct Outcome {
    ActionResult result;
    std::chrono::milliseconds took{0};
    std::size_t swept = 0;
    std::chrono::milliseconds stage_limit{0};
    long max_rss_kb = 0;
};

// Runs the action in a child of its own; `sweep`: what was left behind has until then, from the start on.
Outcome exec(const ActionRequest& request, std::optional<std::chrono::milliseconds> sweep = {}) {
    const TempDir dir;
    const auto start = Clock::now();
    ActionChild child([&] {
        std::chrono::milliseconds stage_limit{0};
        const ActionResult result = master::run_exec(
            request, [&](std::chrono::milliseconds limit, std::string_view) { stage_limit = limit; });
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
        const std::size_t swept = sweep ? master::sweep_leftovers(start + *sweep) : 0;
        std::ofstream(dir.file("result"))
            << result.ok << ' ' << took.count() << ' ' << swept << ' ' << stage_limit.count() << '\n'
            << result.message << '\n'
            << result.output;
    });
    BOOST_REQUIRE_EQUAL(child.wait(60s), 0);
    Outcome outcome;
    std::istringstream in(read_file(dir.file("result")));
    long took = 0, stage_limit = 0;
    in >> outcome.result.ok >> took >> outcome.swept >> stage_limit;
    in.ignore();
    std::getline(in, outcome.result.message);
    outcome.result.output.assign(std::istreambuf_iterator<char>(in), {});
    outcome.took = std::chrono::milliseconds(took);
    outcome.stage_limit = std::chrono::milliseconds(stage_limit);
    outcome.max_rss_kb = child.usage().ru_maxrss;
    return outcome;
}

pid_t pid_in(const std::string& file) {
    const std::string text = read_file(file);
    pid_t pid = 0;
    std::from_chars(text.data(), text.data() + text.size(), pid);
    return text.ends_with('\n') ? pid : 0;
}

// A zombie does not run; its new parent may take its time.
bool runs(pid_t pid) {
    const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
    return !stat.empty() && !has(stat, ") Z ");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_action_exec)

BOOST_AUTO_TEST_CASE(the_evidence_is_in_the_environment) {
    ::setenv("HEALTHCHECK_PID", "stale", 1);
    const Outcome got = exec(request_for("env | grep ^HEALTHCHECK_ | sort; test -n \"$PATH\""));
    ::unsetenv("HEALTHCHECK_PID");
    BOOST_TEST(got.result.ok, got.result.message);
    BOOST_TEST(got.result.output == "HEALTHCHECK_CAT=cat1\n"
                                    "HEALTHCHECK_LIMIT=1024\n"
                                    "HEALTHCHECK_MESSAGE=rss 1031.25 MB\n"
                                    "HEALTHCHECK_PID=2630\n"
                                    "HEALTHCHECK_PROGRAM=web:gateway\n"
                                    "HEALTHCHECK_STATUS=failure\n"
                                    "HEALTHCHECK_TYPE=mem\n"
                                    "HEALTHCHECK_UNIT=MB\n"
                                    "HEALTHCHECK_VALUE=1031.25\n");
}

BOOST_AUTO_TEST_CASE(without_a_process_the_pid_is_empty) {
    ActionRequest request = request_for("echo \"<$HEALTHCHECK_PID>\"");
    request.evidence.process = {};
    BOOST_TEST(exec(request).result.output == "<>\n");
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
    BOOST_TEST(got.took.count() < 2000);
    BOOST_TEST(got.stage_limit.count() >= 2300);
}

BOOST_AUTO_TEST_CASE(one_that_ignores_term_is_killed_with_its_whole_tree) {
    const TempDir dir;
    const Outcome got = exec(request_for("trap '' TERM; setsid sleep 1000 & echo $! > " + dir.file("pid") +
                                             "; while :; do sleep 0.05; done",
                                         200ms));
    BOOST_TEST(got.result.message == "timed out after 0.2 s: ended by SIGKILL");
    BOOST_TEST(got.took.count() >= 2200);
    BOOST_TEST(got.took.count() < 4500);
    const pid_t left = pid_in(dir.file("pid"));
    BOOST_REQUIRE(left > 1);
    BOOST_TEST(!runs(left));
}

BOOST_AUTO_TEST_CASE(a_daemon_that_holds_stdout_delays_nothing) {
    const TempDir dir;
    const Outcome got =
        exec(request_for("setsid sh -c 'echo $$ > " + dir.file("pid") + "; exec sleep 1000' & while [ ! -s " +
                         dir.file("pid") + " ]; do sleep 0.01; done; echo done"),
             1500ms);
    BOOST_TEST(got.result.ok, got.result.message);
    BOOST_TEST(got.result.output == "done\n");
    BOOST_TEST(got.took.count() < 1500);
    // ... and does not outlive the sweep.
    BOOST_TEST(got.swept == 1u);
    const pid_t left = pid_in(dir.file("pid"));
    BOOST_REQUIRE(left > 1);
    BOOST_TEST(!runs(left));
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
    const Outcome got = exec(request_for("trap '' TERM; setsid sh -c 'echo $$ > " + dir.file("pid") +
                                         "; while :; do sleep 0.05; done' & while [ ! -s " + dir.file("pid") +
                                         " ]; do sleep 0.01; done"),
                             0ms);
    BOOST_TEST(got.swept >= 1u);
    BOOST_TEST(!runs(pid_in(dir.file("pid"))));
}

BOOST_AUTO_TEST_CASE(a_gigabyte_of_output_is_drained_and_4_kib_kept) {
    const Outcome got = exec(request_for("head -c 1G /dev/zero | tr '\\0' x; echo end >&2", 50s));
    BOOST_TEST(got.result.ok, got.result.message);
    BOOST_TEST(got.result.output == std::string(4096, 'x'));
    BOOST_TEST(got.max_rss_kb < 200 * 1024);
}

BOOST_AUTO_TEST_CASE(the_commands_tree_dies_with_the_master_within_a_second) {
    const TempDir dir;
    // This child is the master; it forks the action as the real one does.
    ActionChild fake_master([&] {
        ActionChild action([&] {
            const std::string file = dir.file("pids");
            master::run_exec(request_for("sleep 1000 & echo $! > " + dir.file("a") +
                                         "; setsid sleep 1000 & echo $! > " + dir.file("b") + "; echo $$ > " +
                                         dir.file("c") + "; wait"),
                             [](std::chrono::milliseconds, std::string_view) {});
        });
        action.wait(60s);
    });
    BOOST_REQUIRE(wait_until([&] { return pid_in(dir.file("c")) > 1; }));
    ::kill(fake_master.pid(), SIGKILL);
    for (const char* name : {"a", "b", "c"}) {
        const pid_t pid = pid_in(dir.file(name));
        BOOST_REQUIRE(pid > 1);
        BOOST_TEST(wait_until([&] { return !runs(pid); }, 1s), name);
    }
}

BOOST_AUTO_TEST_CASE(sigterm_to_the_action_ends_the_commands_tree_and_the_action) {
    const TempDir dir;
    ActionChild action([&] {
        master::run_exec(request_for("setsid sleep 1000 & echo $! > " + dir.file("a") + "; wait"),
                         [](std::chrono::milliseconds, std::string_view) {});
    });
    BOOST_REQUIRE(wait_until([&] { return pid_in(dir.file("a")) > 1; }));
    ::kill(action.pid(), SIGTERM);
    const int status = action.wait(3s);
    BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM));
    BOOST_TEST(wait_until([&] { return !runs(pid_in(dir.file("a"))); }, 1s));
}

BOOST_AUTO_TEST_CASE(a_tree_that_runs_away_from_a_sweep_is_ended_by_its_cgroup) {
    if (!master::CommandCgroup().exists())
        skip("no version 2 cgroup can be made here");
    const TempDir dir;
    const std::string beat = dir.file("beat");
    // Each process makes the next one and ends: by the time that a sweep has found one, there is another. It
    // ends by itself after 30 s.
    const std::string runner = dir.write("runner.py", "import os, time\nend = time.time() + 30\n"
                                                      "while time.time() < end:\n"
                                                      "    if os.fork():\n        os._exit(0)\n"
                                                      "    open('" +
                                                          beat + "', 'w').write(str(time.time()))\n");
    const ActionRequest request = request_for("setsid /usr/bin/python3 " + runner + " & sleep 30", 1s);
    ActionChild child([&] {
        const master::CommandCgroup group;
        const ActionResult result = master::run_exec(
            request, [](std::chrono::milliseconds, std::string_view) {}, &group);
        ::_exit(result.ok ? 1 : 0);
    });
    BOOST_TEST_REQUIRE(wait_until([&] { return !read_file(beat).empty(); }));
    BOOST_REQUIRE_EQUAL(child.wait(20s), 0);
    const std::string last = read_file(beat);
    BOOST_TEST(stays([&] { return read_file(beat) == last; }, 500ms));
}

BOOST_AUTO_TEST_SUITE_END()
