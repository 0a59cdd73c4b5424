#include "common/proc/pid_finder.h"
#include "t/fixture/checks.h"

#include "common/proc/pid_file.h"
#include "t/fixture/basics.h"
#include "t/fixture/process/worker_harness.h"
#include "t/fixture/skip.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fstream>
#include <functional>
#include <set>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_pid_finder)

namespace {

// Not of our tree as long as `master` is somebody else; the test itself for cases about the own tree.
constexpr pid_t kNobodysTree = 4194304;

CatConfig by_name(const std::string& program) {
    CatConfig cat;
    cat.set_type(kMemCheck);
    cat.program = program;
    cat.pid_get = PidGet::name;
    return cat;
}

FoundProcess find_name(const std::string& program, pid_t master = kNobodysTree) {
    return make_pid_finder(by_name(program), master)->find();
}

// A program of that name as `user`, ready to be found.
class Sleeper {
public:
    Sleeper(const TempDir& dir, const std::string& name, uid_t user, mode_t mode = 0755)
        : path_(dir.file(name)), process_(command(path_, mode), as(user)) {
        BOOST_TEST_REQUIRE(wait_until(
            [&] { return read_file("/proc/" + std::to_string(pid()) + "/cmdline").starts_with(path_); }));
        std::this_thread::sleep_for(20ms);  // start times have a resolution of 10 ms
    }
    pid_t pid() const { return process_.pid(); }

private:
    static Subprocess::Options as(uid_t user) {
        Subprocess::Options options;
        options.uid = user;
        return options;
    }
    static std::vector<std::string> command(const std::string& path, mode_t mode) {
        std::filesystem::copy_file("/bin/sleep", path, std::filesystem::copy_options::skip_existing);
        ::chmod(path.c_str(), mode);
        return {path, "60"};
    }
    std::string path_;
    Subprocess process_;
};

constexpr uid_t kStranger = 61234;

FoundProcess find_file(const std::string& path, pid_t master = kNobodysTree) {
    return PidFile(path, master).find();
}

// A process that sleeps and goes by a name of its own; started after all former ones by the kernel's clock.
class Named {
public:
    Named(const TempDir& dir, const std::string& script, const std::vector<std::string>& words)
        : process_(command(dir, script, words)) {
        // By the whole path: the script's name alone may be part of this program's.
        BOOST_TEST_REQUIRE(wait_until([&] {
            const std::string line = read_file("/proc/" + std::to_string(pid()) + "/cmdline");
            return line.find(dir.file(script)) != std::string::npos;
        }));
        // Start times have a resolution of 10 ms.
        std::this_thread::sleep_for(20ms);
    }
    pid_t pid() const { return process_.pid(); }

private:
    static std::vector<std::string> command(const TempDir& dir, const std::string& script,
                                            const std::vector<std::string>& words) {
        const std::string path = dir.write(script, "#!/bin/sh\nread x < " + dir.file("never") + "\n", 0755);
        ::mkfifo(dir.file("never").c_str(), 0600);
        std::vector<std::string> argv{path};
        argv.insert(argv.end(), words.begin(), words.end());
        return argv;
    }
    Subprocess process_;
};

std::string nul_separated(std::string text) {
    for (char& c : text)
        if (c == '|')
            c = '\0';
    return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_first_word_beats_another_one_that_beats_the_short_name_that_beats_text) {
    struct Row {
        const char* command_line;  // '|' for NUL
        const char* comm;
        const char* name;
        NameMatch match;
    };
    const Row rows[] = {
        {"/usr/bin/gateway|-c|x|", "gateway", "gateway", NameMatch::name},
        {"/usr/bin/gateway|", "other", "gateway", NameMatch::name},
        {"gateway: worker process|", "gateway", "gateway", NameMatch::name},
        {"/usr/sbin/gateway: worker|", "other", "gateway", NameMatch::name},
        {"gateway *:80|", "other", "gateway", NameMatch::name},
        {"/opt/my app/gateway|", "other", "gateway", NameMatch::name},
        {"gw serving|", "gateway", "gateway", NameMatch::comm},
        {"/usr/bin/vi|/etc/gateway.conf|", "gateway", "gateway", NameMatch::comm},
        {"/usr/bin/python3|/opt/app/gateway|", "gateway", "gateway", NameMatch::name},
        {"/usr/bin/python3|/opt/app/gateway|", "python3", "gateway", NameMatch::word},
        {"sh|-c|exec gateway -v|", "sh", "gateway", NameMatch::word},
        {"java|-jar|gateway.jar|", "java", "gateway.jar", NameMatch::word},
        {"java|-jar|/opt/gateway.jar|", "java", "gateway", NameMatch::text},
        {"java|-Dname=gateway|", "java", "gateway", NameMatch::text},
        {"java|-jar|a.jar|", "java", "java -jar", NameMatch::text},
        {"/opt/gateway/run|", "run", "gateway", NameMatch::text},
        {"/usr/bin/gatewax|", "gatewax", "gateway", NameMatch::none},
        {"/usr/bin/gateway|", "gateway", "", NameMatch::none},
    };
    for (const Row& row : rows)
        BOOST_TEST_CONTEXT(row.command_line << " as " << row.name)
    BOOST_TEST((match_name(nul_separated(row.command_line), row.comm, row.name) == row.match));
}

BOOST_AUTO_TEST_CASE(the_oldest_of_several_is_found) {
    const TempDir dir;
    const std::string name = "hcd-oldest-" + std::to_string(::getpid());
    const Named first(dir, name, {});
    const Named second(dir, name, {});
    BOOST_TEST(find_name(name).process.pid == first.pid());
    BOOST_TEST((find_name(name).process == identify(first.pid())));
}

BOOST_AUTO_TEST_CASE(a_younger_process_with_the_very_name_beats_an_older_one_that_mentions_it) {
    const TempDir dir;
    const std::string name = "hcd-best-" + std::to_string(::getpid());
    const Named mentions(dir, "editor", {"/etc/" + name + ".conf"});
    BOOST_TEST(find_name(name).process.pid == mentions.pid());
    const Named word(dir, "runner", {name});
    BOOST_TEST(find_name(name).process.pid == word.pid());
    const Named exact(dir, name, {});
    BOOST_TEST(find_name(name).process.pid == exact.pid());
}

BOOST_AUTO_TEST_CASE(a_short_name_alone_takes_nobodys_place) {
    const TempDir dir;
    const std::string name = "hcd-s-" + std::to_string(::getpid() % 100'000);  // 15 bytes at most
    const Subprocess calls_itself_so(
        [&] {
            ::prctl(PR_SET_NAME, name.c_str());
            ::pause();
            return 0;
        },
        {});
    BOOST_TEST_REQUIRE(wait_until([&] {
        return read_file("/proc/" + std::to_string(calls_itself_so.pid()) + "/comm") == name + "\n";
    }));
    BOOST_TEST(find_name(name).process.pid == calls_itself_so.pid());
    std::this_thread::sleep_for(20ms);
    const Named word(dir, "runner", {"/opt/" + name});
    BOOST_TEST(find_name(name).process.pid == word.pid());
}

BOOST_AUTO_TEST_CASE(a_process_of_another_user_is_neither_taken_nor_read) {
    if (::geteuid() != 0)
        skip("needs root, to run programs as others");
    const TempDir dir;
    const std::string name = "hcd-user-" + std::to_string(::getpid());
    const Sleeper strangers(dir, name, kStranger);
    std::set<pid_t> looked_at;
    const auto find = [&](std::optional<uid_t> pid_user, std::optional<uid_t> program_user) {
        CatConfig cat = by_name(name);
        cat.pid_user = pid_user;
        const auto finder = make_pid_finder(cat, kNobodysTree);
        finder->set_program_user(program_user);
        finder->set_on_look([&](pid_t pid) { looked_at.insert(pid); });
        return finder->find();
    };
    const FoundProcess none = find({}, {});
    BOOST_TEST(none.process.pid == 0);
    // It may be the one that is meant, which must not look like a program that does not run.
    BOOST_TEST(none.verdict == Verdict::unknown);
    const std::string stranger = "process " + std::to_string(strangers.pid()) +
                                 " of user 61234 goes by the name " + name + ", and only those of user ";
    BOOST_TEST(none.why == stranger + "0 are believed to be it; if it is meant, say pidUser: 61234");
    BOOST_TEST(find(kStranger + 1, {}).why ==
               stranger + "0 or 61235 are believed to be it; if it is meant, say pidUser: 61234");
    const FoundProcess nobody = make_pid_finder(by_name(name + "-x"), kNobodysTree)->find();
    BOOST_TEST(nobody.verdict == Verdict::idle);
    BOOST_TEST(nobody.why ==
               "no process of user 0 goes by the name " + name + "-x (pidUser: names another user)");
    BOOST_TEST(!looked_at.contains(strangers.pid()));

    BOOST_TEST(find(kStranger, {}).process.pid == strangers.pid());
    BOOST_TEST(find({}, kStranger).process.pid == strangers.pid());
    BOOST_TEST(looked_at.contains(strangers.pid()));
    // It is older, and is passed over all the same.
    const Sleeper roots(dir, name, 0);
    BOOST_TEST(find({}, {}).process.pid == roots.pid());
    BOOST_TEST(find(kStranger, {}).process.pid == strangers.pid());
}

BOOST_AUTO_TEST_CASE(a_program_that_is_set_user_id_root_is_still_of_who_started_it) {
    if (::geteuid() != 0)
        skip("needs root, to make such a program");
    const TempDir dir;
    const std::string name = "hcd-suid-" + std::to_string(::getpid());
    const Sleeper process(dir, name, kStranger, 04755);
    struct stat status {};
    BOOST_TEST_REQUIRE(::stat(("/proc/" + std::to_string(process.pid())).c_str(), &status) == 0);
    if (status.st_uid != 0)
        skip("this file system knows no set-user-ID programs");
    BOOST_TEST(find_name(name).process.pid == 0);
}

BOOST_AUTO_TEST_CASE(a_process_that_is_left_out_is_not_read) {
    const TempDir dir;
    const std::string name = "hcd-out-" + std::to_string(::getpid());
    const Named first(dir, name, {});
    const Named second(dir, name, {});
    const std::string file = dir.write("x.pid", std::to_string(first.pid()));
    std::vector<pid_t> looked_at;
    for (const auto& finder : {std::shared_ptr<PidFinder>(make_pid_finder(by_name(name), kNobodysTree)),
                               std::shared_ptr<PidFinder>(std::make_shared<PidFile>(file, kNobodysTree))}) {
        finder->set_on_look([&](pid_t pid) { looked_at.push_back(pid); });
        BOOST_TEST(finder->find().process.pid == first.pid());
        BOOST_TEST(std::ranges::count(looked_at, first.pid()) == 1);
        finder->leave_out({{first.pid(), std::chrono::steady_clock::now() + std::chrono::hours(1)}});
        looked_at.clear();
        BOOST_TEST(finder->find().process.pid != first.pid());
        BOOST_TEST(std::ranges::count(looked_at, first.pid()) == 0);
        looked_at.clear();
    }
}

BOOST_AUTO_TEST_CASE(a_group_member_is_looked_for_by_its_name) {
    const TempDir dir;
    const std::string name = "hcd-group-" + std::to_string(::getpid());
    const Named process(dir, name, {});
    BOOST_TEST(find_name("web:" + name).process.pid == process.pid());
}

BOOST_AUTO_TEST_CASE(healthcheckds_own_tree_is_never_found) {
    const TempDir dir;
    const std::string name = "hcd-own-" + std::to_string(::getpid());
    const Named child(dir, name, {});
    BOOST_TEST(find_name(name).process.pid == child.pid());
    const FoundProcess none = find_name(name, ::getpid());
    BOOST_TEST(none.process.pid == 0);
    BOOST_TEST(none.verdict == Verdict::idle);
    BOOST_TEST(none.why.find(" goes by the name " + name) != std::string::npos, none.why);
}

BOOST_AUTO_TEST_CASE(a_tree_reaches_over_generations) {
    BOOST_TEST(in_tree_of(::getpid(), ::getpid()));
    BOOST_TEST(in_tree_of(::getpid(), ::getppid()));
    BOOST_TEST(!in_tree_of(::getppid(), ::getpid()));
    BOOST_TEST(!in_tree_of(kNobodysTree, ::getpid()));
}

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
    if (::geteuid() != 0)
        skip("needs root, to give files away");
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
    if (::geteuid() != 0)
        skip("needs root, to write to /run");
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
    if (::geteuid() != 0)
        skip("needs root, to give folders away");
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
