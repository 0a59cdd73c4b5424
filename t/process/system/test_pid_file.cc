// Pid files: their text, and which owners and places are accepted.
#include "common/proc/pid_file.h"
#include "t/fixture/basics.h"
#include "t/fixture/checks.h"
#include "t/fixture/process/worker_harness.h"
#include "t/fixture/skip.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <functional>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_pid_file)

namespace {

constexpr uid_t kStranger = 61234;

FoundProcess find_file(const std::string& path, pid_t master = kNobodysTree) {
    return PidFile(path, master).find();
}

}  // namespace

BOOST_AUTO_TEST_CASE(pid_texts) {
    BOOST_TEST(parse_pid("1234\n").value() == 1234);
    BOOST_TEST(parse_pid("2").value() == 2);
    BOOST_TEST(parse_pid("4194304 \r\n").value() == 4194304);
    for (const std::string_view text :
         {" 5", "\t5\v", "5 6", "0005", "00000000000000000000005\n",
          "5                                          ", "5\r\nnext",
          "5\n/var/lib/postgresql/15/main\n1700000000\n5432\n/run/postgresql\nlocalhost\n"})
        BOOST_TEST(parse_pid(text).value_or(0) == 5, text);
    for (const std::string_view text :
         {"", "\n", " ", "\n5", "0", "000", "1", "01", "-1", "+5", "5x", "5,6", "0x10", "1e3", "4194305",
          "9223372036854775808", "18446744073709551618", "gateway", "pid 5"})
        BOOST_TEST(!parse_pid(text), text);
    BOOST_TEST(!parse_pid(std::string_view("12\0", 3)));
}

BOOST_AUTO_TEST_CASE(a_good_pid_file_names_its_process) {
    const TempDir dir;
    Subprocess process({"/bin/sleep", "60"});
    const std::string path = dir.write("x.pid", std::to_string(process.pid()) + "\n");
    BOOST_TEST((find_file(path).process == identify(process.pid())));
}

BOOST_AUTO_TEST_CASE(pid_files_that_cannot_be_trusted_are_unknown_and_absent_ones_idle) {
    const TempDir dir;
    Subprocess process({"/bin/sleep", "60"});
    const std::string pid = std::to_string(process.pid());
    pid_t gone = 0;
    {
        Subprocess short_lived({"/bin/true"});
        short_lived.wait(10s);
        gone = short_lived.pid();
    }
    struct Row {
        const char* what;
        std::function<std::string()> make;
        Verdict verdict;
        const char* why;  // a piece of the reason
    };
    const Row rows[] = {
        {"garbage", [&] { return dir.write("garbage", "\x1b[31mhello"); }, Verdict::unknown, "\\x1B"},
        {"empty", [&] { return dir.write("empty", ""); }, Verdict::unknown, "does not hold"},
        {"zero", [&] { return dir.write("zero", "0\n"); }, Verdict::unknown, "does not hold"},
        {"one", [&] { return dir.write("one", "1\n"); }, Verdict::unknown, "does not hold"},
        {"minus one", [&] { return dir.write("minus", "-1\n"); }, Verdict::unknown, "does not hold"},
        {"2^63", [&] { return dir.write("huge", "9223372036854775808\n"); }, Verdict::unknown,
         "does not hold"},
        {"itself", [&] { return dir.write("own", std::to_string(::getpid())); }, Verdict::unknown,
         "healthcheckd itself"},
        {"ended process", [&] { return dir.write("gone", std::to_string(gone)); }, Verdict::idle,
         "does not run"},
        {"absent", [&] { return dir.file("absent"); }, Verdict::idle, "there is no pid file"},
        {"absent folder", [&] { return dir.file("a/b/c.pid"); }, Verdict::idle, "there is no pid file"},
        {"1 GB",
         [&] {
             const std::string path = dir.write("big", pid);
             std::filesystem::resize_file(path, 1u << 30);
             return path;
         },
         Verdict::unknown, "does not hold"},
        {"FIFO",
         [&] {
             ::mkfifo(dir.file("fifo").c_str(), 0644);
             return dir.file("fifo");
         },
         Verdict::unknown, "not a regular file"},
        {"folder", [&] { return dir.path().string(); }, Verdict::unknown, "not a regular file"},
        {"symbolic link",
         [&] {
             dir.write("target", pid);
             std::filesystem::create_symlink(dir.file("target"), dir.file("link"));
             return dir.file("link");
         },
         Verdict::unknown, "symbolic link"},
        {"written by all", [&] { return dir.write("all", pid, 0666); }, Verdict::unknown, "by others"},
        {"written by all, not by the group", [&] { return dir.write("others", pid, 0646); }, Verdict::unknown,
         "by others"},
        {"a first line that is empty", [&] { return dir.write("second line", "\n" + pid); }, Verdict::unknown,
         "does not hold"},
    };
    for (const Row& row : rows)
        BOOST_TEST_CONTEXT(row.what) {
            // The process that runs is a child of ours, so only `itself` is looked up as of our tree.
            const bool own = std::string_view(row.what) == "itself";
            const FoundProcess found = find_file(row.make(), own ? ::getpid() : kNobodysTree);
            BOOST_TEST(found.process.pid == 0);
            BOOST_TEST(found.verdict == row.verdict);
            BOOST_TEST(found.why.find(row.why) != std::string::npos, found.why);
        }
}

BOOST_AUTO_TEST_CASE(only_root_and_the_processs_own_user_may_name_it) {
    need_root("needs root, to give files away");
    const TempDir dir;
    Subprocess::Options as_nobody;
    as_nobody.uid = 65534;
    Subprocess roots({"/bin/sleep", "60"});
    Subprocess nobodys({"/bin/sleep", "60"}, as_nobody);
    BOOST_TEST_REQUIRE(wait_until([&] {
        return read_file("/proc/" + std::to_string(nobodys.pid()) + "/cmdline").starts_with("/bin/sleep");
    }));
    const auto file_of = [&](uid_t owner, pid_t pid) {
        const std::string path = dir.write("x.pid", std::to_string(pid));
        BOOST_TEST_REQUIRE(::chown(path.c_str(), owner, owner) == 0);
        return path;
    };
    BOOST_TEST(find_file(file_of(0, roots.pid())).process.pid == roots.pid());
    BOOST_TEST(find_file(file_of(0, nobodys.pid())).process.pid == nobodys.pid());
    BOOST_TEST(find_file(file_of(65534, nobodys.pid())).process.pid == nobodys.pid());
    const FoundProcess aimed = find_file(file_of(65534, roots.pid()));
    BOOST_TEST(aimed.process.pid == 0);
    BOOST_TEST(aimed.verdict == Verdict::unknown);
    BOOST_TEST(aimed.why.find("not trusted") != std::string::npos, aimed.why);
    const FoundProcess stranger = find_file(file_of(1000, nobodys.pid()));
    BOOST_TEST(stranger.verdict == Verdict::unknown);
}

BOOST_AUTO_TEST_CASE(a_file_that_a_group_may_write_is_good_enough_to_measure_by_and_doubted) {
    const TempDir dir;
    Subprocess process({"/bin/sleep", "60"});
    for (const mode_t mode : {0664, 0660, 0644, 0600}) {
        const std::string path = dir.write(std::to_string(mode), std::to_string(process.pid()), mode);
        BOOST_TEST_REQUIRE(::chmod(path.c_str(), mode) == 0);
        const FoundProcess found = find_file(path);
        BOOST_TEST_CONTEXT(mode) {
            BOOST_TEST(found.process.pid == process.pid(), found.why);
            BOOST_TEST((found.doubt.find("can be written by group") != std::string::npos) ==
                       ((mode & S_IWGRP) != 0));
        }
    }
}

BOOST_AUTO_TEST_CASE(no_link_in_any_place_of_the_path_is_followed) {
    const TempDir dir;
    Subprocess process({"/bin/sleep", "60"});
    std::filesystem::create_directories(dir.file("real/run"));
    dir.write("real/run/x.pid", std::to_string(process.pid()));
    BOOST_TEST(find_file(dir.file("real/run/x.pid")).process.pid == process.pid());
    std::filesystem::create_directory_symlink("real", dir.file("first"));
    std::filesystem::create_directory_symlink("run", dir.file("real/last"));
    std::filesystem::create_directory_symlink("nowhere", dir.file("dangling"));
    for (const auto& [path, link] : {std::pair{"first/run/x.pid", "first"},
                                     {"real/last/x.pid", "real/last"},
                                     {"dangling/x.pid", "dangling"}}) {
        const FoundProcess found = find_file(dir.file(path));
        BOOST_TEST(found.verdict == Verdict::unknown);
        BOOST_TEST(found.why.find(dir.file(link) + " is a symbolic link") != std::string::npos, found.why);
        BOOST_TEST(found.why.find("give pidFile the path without it") != std::string::npos, found.why);
    }
}

BOOST_AUTO_TEST_CASE(var_run_means_run) {
    need_root("needs root, to write to /run");
    if (!std::filesystem::is_symlink("/var/run") || std::filesystem::read_symlink("/var/run") != "/run")
        skip("/var/run is no link to /run");
    Subprocess process({"/bin/sleep", "60"});
    const std::string name = "healthcheckd-test-" + std::to_string(::getpid()) + ".pid";
    std::ofstream("/run/" + name) << process.pid();
    const FoundProcess found = find_file("/var/run/" + name);
    std::filesystem::remove("/run/" + name);
    BOOST_TEST(found.process.pid == process.pid(), found.why);
}

BOOST_AUTO_TEST_CASE(a_file_of_roots_is_believed_only_where_nobody_else_can_have_put_it) {
    need_root("needs root, to give folders away");
    const TempDir dir;
    Subprocess process({"/bin/sleep", "60"});
    std::filesystem::create_directories(dir.file("app/run"));
    const std::string path = dir.write("app/run/x.pid", std::to_string(process.pid()));
    const std::string app = dir.file("app");
    BOOST_TEST(find_file(path).process.pid == process.pid());
    const auto refused = [&](const std::string& why) {
        const FoundProcess found = find_file(path);
        BOOST_TEST(found.process.pid == 0);
        BOOST_TEST(found.verdict == Verdict::unknown);
        BOOST_TEST(found.why.find(why) != std::string::npos, found.why);
    };
    ::chmod(app.c_str(), 0775);
    refused("others than root may change " + app + ",");
    ::chmod(app.c_str(), 0757);
    refused("chown root and chmod go-w");
    ::chmod(app.c_str(), 01777);
    BOOST_TEST(find_file(path).process.pid == process.pid());
    ::chmod(app.c_str(), 0755);
    BOOST_TEST_REQUIRE(::chown(app.c_str(), kStranger, 0) == 0);
    refused("others than root may change " + app + ",");
    BOOST_TEST_REQUIRE(::chown(app.c_str(), 0, 0) == 0);
    std::filesystem::create_hard_link(path, dir.file("other name"));
    refused("has another name");
}

BOOST_AUTO_TEST_CASE(a_thread_is_not_a_process) {
    const TempDir dir;
    pid_t thread_id = 0;
    std::thread([&] {
        thread_id = ::gettid();
        const FoundProcess found = find_file(dir.write("x.pid", std::to_string(thread_id)));
        BOOST_TEST(found.verdict == Verdict::unknown);
        BOOST_TEST(found.why.find("is a thread") != std::string::npos, found.why);
    }).join();
}

BOOST_AUTO_TEST_CASE(a_zombie_has_ended) {
    const TempDir dir;
    const pid_t zombie = ::fork();
    if (zombie == 0)
        ::_exit(0);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(zombie), &info, WEXITED | WNOWAIT);
    const FoundProcess found = find_file(dir.write("x.pid", std::to_string(zombie)));
    ::waitpid(zombie, nullptr, 0);
    BOOST_TEST(found.verdict == Verdict::idle);
    BOOST_TEST(found.why.find("has ended") != std::string::npos, found.why);
}

BOOST_AUTO_TEST_SUITE_END()
