// What guards a command: whoever ends an action ends the command, its descendants and its cgroup.
#include "master/action/command.h"
#include "t/fixture/process/action_child.h"
#include "t/fixture/skip.h"
#include "t/fixture/slower.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>

using namespace healthcheckd;
using namespace healthcheckd::test;
using master::ActionRequest;

using Clock = std::chrono::steady_clock;

BOOST_AUTO_TEST_SUITE(test_command_guard)

BOOST_AUTO_TEST_CASE(the_commands_tree_dies_with_the_master_within_a_second) {
    const TempDir dir;
    // This child is the master; it forks the action as the real one does.
    ActionChild fake_master([&] {
        ActionChild action([&] {
            const std::string file = dir.file("pids");
            std::optional<master::CommandGuard> guard;
            run(request_for("sleep 1000 & echo $! > " + dir.file("a") + "; setsid sleep 1000 & echo $! > " +
                            dir.file("b") + "; echo $$ > " + dir.file("c") + "; wait"),
                guard);
        });
        action.wait(60s);
    });
    BOOST_REQUIRE(wait_until([&] { return pid_in(dir.file("c")) > 1; }));
    send_signal(fake_master.pid(), SIGKILL);
    for (const char* name : {"a", "b", "c"}) {
        const pid_t pid = pid_in(dir.file(name));
        BOOST_REQUIRE(pid > 1);
        BOOST_TEST(wait_until([&] { return !runs(pid); }, 1s), name);
    }
}

BOOST_AUTO_TEST_CASE(sigterm_to_the_action_ends_the_commands_tree_and_the_action) {
    const TempDir dir;
    ActionChild action([&] {
        std::optional<master::CommandGuard> guard;
        run(request_for("setsid sleep 1000 & echo $! > " + dir.file("a") + "; wait"), guard);
    });
    BOOST_REQUIRE(wait_until([&] { return pid_in(dir.file("a")) > 1; }));
    send_signal(action.pid(), SIGTERM);
    const int status = action.wait(3s);
    BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM));
    BOOST_TEST(wait_until([&] { return !runs(pid_in(dir.file("a"))); }, 1s));
}

BOOST_AUTO_TEST_CASE(sigterm_while_a_helper_works_ends_what_the_command_has_left) {
    const TempDir dir;
    ActionChild action([&] {
        std::optional<master::CommandGuard> guard;
        run(request_for("sleep 1000 & echo $! > " + dir.file("a")), guard);
        guard->help([&] {
            dir.write("b", std::to_string(::getpid()) + "\n");
            for (;;)
                ::pause();
        });
        master::sweep_leftovers(Clock::now() + 60s, *guard);
    });
    BOOST_REQUIRE(wait_until([&] { return pid_in(dir.file("b")) > 1; }));
    send_signal(action.pid(), SIGTERM);
    const int status = action.wait(3s);
    BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM));
    for (const char* name : {"a", "b"})
        BOOST_TEST(wait_until([&] { return !runs(pid_in(dir.file(name))); }, 1s), name);
}

BOOST_AUTO_TEST_CASE(a_helper_is_no_leftover_of_the_command_and_has_its_time) {
    const TempDir dir;
    ActionChild action([&] {
        std::optional<master::CommandGuard> guard;
        run(request_for("true"), guard);
        guard->help([&] {
            ::usleep(300'000);
            dir.write("done", "1");
        });
        guard->help([] {
            for (;;)
                ::pause();
        });
        if (master::sweep_leftovers(Clock::now(), *guard) != 0)
            ::_exit(1);
        guard->wait_for_helpers(Clock::now() + 1s);
    });
    BOOST_TEST(action.wait(10s) == 0);
    BOOST_TEST(read_file(dir.file("done")) == "1");
}

BOOST_AUTO_TEST_CASE(no_folder_of_a_cgroup_stays_however_the_action_ends) {
    if (master::CommandCgroup::folder().empty() || !master::CommandCgroup().exists())
        skip("no version 2 cgroup can be made here");
    const auto folder_of = [](pid_t pid) {
        return std::filesystem::path(master::CommandCgroup::folder()) /
               ("healthcheckd-command-" + std::to_string(pid));
    };
    const TempDir dir;
    const auto running = [&](const std::string& name) {
        return [&dir, name] {
            std::optional<master::CommandGuard> guard;
            run(request_for("echo $$ > " + dir.file(name) + "; exec sleep 1000"), guard);
        };
    };
    ActionChild told(running("told"));
    BOOST_REQUIRE(wait_until([&] { return pid_in(dir.file("told")) > 1; }));
    BOOST_TEST(std::filesystem::exists(folder_of(told.pid())));
    send_signal(told.pid(), SIGTERM);
    BOOST_TEST(told.wait(3s) != -1);
    BOOST_TEST(!std::filesystem::exists(folder_of(told.pid())));

    // One that is killed can do nothing any more: the next start of healthcheckd does it.
    ActionChild killed(running("killed"));
    ActionChild lives(running("lives"));
    BOOST_REQUIRE(
        wait_until([&] { return pid_in(dir.file("killed")) > 1 && pid_in(dir.file("lives")) > 1; }));
    send_signal(killed.pid(), SIGKILL);
    BOOST_TEST(killed.wait(3s) != -1);
    BOOST_TEST(std::filesystem::exists(folder_of(killed.pid())));
    BOOST_TEST(wait_until([&] {
        master::CommandCgroup::remove_stale();
        return !std::filesystem::exists(folder_of(killed.pid()));
    }));
    BOOST_TEST(std::filesystem::exists(folder_of(lives.pid())));
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
    const ActionRequest request =
        request_for("setsid /usr/bin/python3 " + runner + " & sleep 30", 1s * slower());
    ActionChild child([&] {
        std::optional<master::CommandGuard> guard;
        ::_exit(run(request, guard).ok ? 1 : 0);
    });
    BOOST_TEST_REQUIRE(wait_until([&] { return !read_file(beat).empty(); }));
    BOOST_REQUIRE_EQUAL(child.wait(20s), 0);
    const std::string last = read_file(beat);
    BOOST_TEST(stays([&] { return read_file(beat) == last; }, 500ms));
}

BOOST_AUTO_TEST_SUITE_END()
