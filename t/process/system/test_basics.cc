#include "t/fixture/basics.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/slower.h"
#include "t/fixture/this_build.h"

#include <algorithm>
#include <arpa/inet.h>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <netinet/in.h>
#include <set>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_basics)

BOOST_AUTO_TEST_CASE(a_temporary_folder_goes_with_all_that_is_in_it) {
    std::filesystem::path path;
    {
        const TempDir dir;
        path = dir.path();
        std::filesystem::create_directories(path / "a/b");
        BOOST_TEST(read_file(dir.write("a/b/file", "text")) == "text");
    }
    BOOST_TEST(!std::filesystem::exists(path));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_reads_as_empty) {
    const TempDir dir;
    BOOST_TEST(read_file(dir.file("none")) == "");
}

BOOST_AUTO_TEST_CASE(waiting_ends_when_the_condition_holds_or_the_limit_is_over) {
    int asked = 0;
    BOOST_TEST(wait_until([&] { return ++asked == 3; }));
    BOOST_TEST(asked == 3);
    BOOST_TEST(!wait_until([] { return false; }, 30ms));
    BOOST_TEST(wait_until([] { return true; }, 0ms));
}

BOOST_AUTO_TEST_CASE(how_slow_this_machine_is_is_told_to_what_a_test_starts) {
    BOOST_TEST(slower() >= kSlowerBuild);
    BOOST_TEST(slower() <= 10);
    const CommandResult told = run_command({"/bin/sh", "-c", "echo $HEALTHCHECKD_TEST_SLOWER"});
    BOOST_TEST(told.output == std::to_string(slower()) + "\n");
}

BOOST_AUTO_TEST_CASE(what_changes_once_has_not_stayed) {
    int asked = 0;
    BOOST_TEST(!stays([&] { return ++asked != 3; }, 10s));
    BOOST_TEST(asked == 3);
    const auto begin = std::chrono::steady_clock::now();
    BOOST_TEST(stays([] { return true; }, 30ms));
    BOOST_TEST((std::chrono::steady_clock::now() - begin >= 30ms));
}

BOOST_AUTO_TEST_CASE(free_ports_differ_and_can_be_bound) {
    std::set<int> ports;
    for (int i = 0; i < 20; ++i)
        ports.insert(free_port());
    BOOST_TEST(ports.size() == 20);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(*ports.begin()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BOOST_TEST(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    ::close(fd);
}

BOOST_AUTO_TEST_CASE(a_command_gives_its_status_and_output) {
    const CommandResult result = run_command({"sh", "-c", "echo $WORD; echo err >&2; exit 3"}, 30s,
                                             {.env = {{"WORD", "hello"}}, .output = {}, .uid = 0});
    BOOST_TEST(result.status == 3);
    BOOST_TEST(result.output == "hello\nerr\n");
    BOOST_TEST(run_command({"sleep", "100"}, 50ms).status == 255);
    BOOST_TEST(run_command({"/nonexistent/command"}).status == 127);
}

BOOST_AUTO_TEST_CASE(a_child_process_ends_with_its_object) {
    pid_t pid = 0;
    {
        Subprocess child({"sleep", "1000"});
        pid = child.pid();
        BOOST_TEST(child.running());
        BOOST_TEST(alive(pid));
    }
    BOOST_TEST(!alive(pid));
}

BOOST_AUTO_TEST_CASE(a_child_process_that_a_signal_ended_says_so) {
    Subprocess child({"sleep", "1000"});
    child.signal(SIGTERM);
    const int status = child.wait(5s);
    BOOST_TEST_REQUIRE(status != -1);
    BOOST_TEST(WIFSIGNALED(status));
    BOOST_TEST(WTERMSIG(status) == SIGTERM);
    BOOST_TEST(!child.running());
}

BOOST_AUTO_TEST_CASE(a_process_is_found_with_its_descendants_and_titles) {
    Subprocess child({"sh", "-c", "sh -c 'sleep 1000; :' & sleep 2000; :"});
    const auto titles = [&] {
        std::set<std::string> all;
        for (const ProcessInfo& one : descendants(child.pid()))
            all.insert(one.title);
        return all;
    };
    const std::set<std::string> expected = {"sh -c sleep 1000; :", "sleep 1000", "sleep 2000"};
    BOOST_TEST(wait_until([&] { return titles() == expected; }));
    for (const ProcessInfo& one : descendants(child.pid()))
        send_signal(one.pid, SIGKILL);
}

BOOST_AUTO_TEST_CASE(the_watched_programs_end_with_their_parent) {
    const TempDir dir;
    const std::string port = std::to_string(free_port());
    const std::string pid_file = dir.file("pid");
    const std::vector<std::vector<std::string>> programs = {
        {"leak.py", "1", "0.05", "5"},    {"spin.py", "10"},
        {"listen.py", "127.0.0.1", port}, {"ignore_term.sh"},
        {"share.py", "2", "1"},           {"crash.sh", "1000"},
        {"sleep.sh", pid_file},
    };
    // A shell that starts them all and waits. What is "ready" or asleep has tied itself to it.
    std::string script;
    for (const auto& words : programs) {
        script += program(words[0]);
        for (std::size_t i = 1; i < words.size(); ++i)
            script += " '" + words[i] + "'";
        script += " &\n";
    }
    Subprocess shell({"sh", "-c", script + "wait"}, {.env = {}, .output = dir.file("output"), .uid = 0});
    const auto sleeps = [&](const std::string& title) {
        const auto all = descendants(shell.pid());
        return std::any_of(all.begin(), all.end(),
                           [&](const ProcessInfo& one) { return one.title == title; });
    };
    const auto ready = [&] {
        const std::string output = shell.output();
        return std::count(output.begin(), output.end(), '\n') == 5 && sleeps("sleep 1000") &&
               sleeps("sleep 3600");
    };
    BOOST_TEST_REQUIRE(wait_until(ready), shell.output());
    const std::vector<ProcessInfo> all = descendants(shell.pid());
    shell.signal(SIGKILL);
    BOOST_TEST_REQUIRE(shell.wait(5s) != -1);
    for (const ProcessInfo& one : all) {
        const bool ended = wait_until([&] { return !alive(one.pid); }, 5s);
        BOOST_TEST(ended, one.title << " has outlived its parent");
        if (!ended)
            send_signal(one.pid, SIGKILL);
    }
}

BOOST_AUTO_TEST_CASE(a_crashing_program_exits_when_and_how_it_was_told) {
    BOOST_TEST(run_command({program("crash.sh"), "0"}).status == 1);
    BOOST_TEST(run_command({program("crash.sh"), "0.1", "7"}).status == 7);
}

BOOST_AUTO_TEST_CASE(shared_memory_is_told_from_private_memory) {
    const TempDir dir;
    Subprocess sharer({program("share.py"), "40", "20"}, {.env = {}, .output = dir.file("output"), .uid = 0});
    BOOST_TEST_REQUIRE(wait_until([&] { return sharer.output().starts_with("ready"); }), sharer.output());
    const std::string rollup = read_file("/proc/" + std::to_string(sharer.pid()) + "/smaps_rollup");
    const auto kilobytes = [&](const std::string& key) {
        return std::stol(rollup.substr(rollup.find("\n" + key + ":") + key.size() + 2));
    };
    BOOST_TEST(kilobytes("Rss") >= 60 << 10);
    BOOST_TEST(kilobytes("Pss") >= 40 << 10);
    BOOST_TEST(kilobytes("Pss") < 55 << 10);
    BOOST_TEST(kilobytes("Private_Dirty") >= 20 << 10);
    BOOST_TEST(kilobytes("Private_Dirty") < 35 << 10);
}

BOOST_AUTO_TEST_SUITE_END()
