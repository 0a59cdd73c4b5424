// Which process a name means.
#include "common/proc/pid_file.h"
#include "common/proc/pid_finder.h"

#include "t/fixture/basics.h"
#include "t/fixture/process/worker_harness.h"
#include "t/fixture/skip.h"
#include "worker/check/mem.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fstream>
#include <functional>
#include <set>
#include <spdlog/fmt/fmt.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_pid_finder)

namespace {

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

// A program of that name in a pid namespace, as process 1. No other command line has the name.
class Contained {
public:
    // `before`: the command in the namespace that becomes the program $PROGRAM; `outside`: what starts the namespace, by
    // the command that follows.
    Contained(const TempDir& dir, const std::string& name, std::vector<std::string> before,
              std::vector<std::string> outside = {})
        : path_(dir.file(name)), unshare_(command(std::move(before), std::move(outside)), options(path_)) {
        BOOST_TEST_REQUIRE(wait_until([&] {
            for (pid_t pid = unshare_.pid(); pid > 0; pid = child_of(pid))
                if (read_file(fmt::format("/proc/{}/cmdline", pid)).starts_with(path_)) {
                    inside_ = pid;
                    return true;
                }
            return false;
        }));
    }
    pid_t inside() const { return inside_; }

private:
    static pid_t child_of(pid_t pid) {
        return std::atoi(read_file(fmt::format("/proc/{0}/task/{0}/children", pid)).c_str());
    }
    static Subprocess::Options options(const std::string& path) {
        std::filesystem::copy_file("/bin/sleep", path, std::filesystem::copy_options::skip_existing);
        Subprocess::Options options;
        options.env = {{"PROGRAM", path}};
        return options;
    }
    static std::vector<std::string> command(std::vector<std::string> before, std::vector<std::string> words) {
        if (before.empty())
            before = {"/bin/sh", "-c", "exec \"$PROGRAM\" 60"};
        for (const char* word : {"/usr/bin/unshare", "--pid", "--fork", "--kill-child"})
            words.emplace_back(word);
        words.insert(words.end(), before.begin(), before.end());
        return words;
    }
    std::string path_;
    Subprocess unshare_;
    pid_t inside_ = 0;
};

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
    need_root("needs root, to run programs as others");
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

BOOST_AUTO_TEST_CASE(a_process_in_a_container_is_not_taken) {
    need_root("needs root, to make a pid namespace");
    const TempDir dir;
    const std::string name = "hcd-inside-" + std::to_string(::getpid());
    const Contained contained(dir, name, {});
    const FoundProcess none = find_name(name);
    BOOST_TEST(none.process.pid == 0);
    BOOST_TEST(none.verdict == Verdict::unknown);
    BOOST_TEST(none.why ==
               fmt::format("process {} in a container (another pid namespace) goes by the name {}, "
                           "and only those outside are believed to be it; if it is meant, say "
                           "pidGet: file",
                           contained.inside(), name));
    const Sleeper outside(dir, name, 0);  // younger
    BOOST_TEST(find_name(name).process.pid == outside.pid());
}

BOOST_AUTO_TEST_CASE(a_process_in_a_container_cannot_hide_that_by_a_long_status_file) {
    need_root("needs root, to make a pid namespace");
    const TempDir dir;
    const std::string name = "hcd-groups-" + std::to_string(::getpid());
    const Contained contained(dir, name, {"/usr/bin/python3", dir.write("many.py", R"(
import os
os.setgroups(range(100000, 130000))
os.execl("/bin/sh", "sh", "-c", 'exec "$PROGRAM" 60')
)")});
    BOOST_TEST(read_file(fmt::format("/proc/{}/status", contained.inside())).size() > 128U * 1024);
    BOOST_TEST(find_name(name).process.pid == 0);
}

BOOST_AUTO_TEST_CASE(what_a_supervisord_has_started_in_a_pid_namespace_is_taken) {
    need_root("needs root, to make a pid namespace");
    const TempDir dir;
    const std::string name = "hcd-nested-" + std::to_string(::getpid());
    {
        const Contained contained(dir, name, {});
        // As the daemon of this process, which has started the container too.
        const Subprocess master({"/bin/sleep", "60"});
        BOOST_TEST(find_name(name, master.pid()).process.pid == contained.inside());
    }
    // Whoever runs healthcheckd.
    const std::string supervisord = dir.file("supervisord");
    std::filesystem::copy_file("/bin/sh", supervisord);
    const Contained contained(dir, name, {}, {supervisord, "-c", "\"$@\"; exit", "sh"});
    BOOST_TEST(find_name(name).process.pid == contained.inside());
}

BOOST_AUTO_TEST_CASE(a_program_that_is_set_user_id_root_is_still_of_who_started_it) {
    need_root("needs root, to make such a program");
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
        finder->leave_out({{first.pid(), {std::chrono::steady_clock::now() + 1h, false}}});
        looked_at.clear();
        BOOST_TEST(finder->find().process.pid != first.pid());
        BOOST_TEST(std::ranges::count(looked_at, first.pid()) == 0);
        looked_at.clear();
    }
}

BOOST_AUTO_TEST_CASE(another_process_of_the_name_does_not_stand_for_the_one_that_is_left_out) {
    const TempDir dir;
    const std::string name = "hcd-out-" + std::to_string(::getpid());
    const Named first(dir, name, {});
    const Named second(dir, name, {});
    const auto finder = make_pid_finder(by_name(name), kNobodysTree);
    const auto leave_out = [&](bool sought) {
        finder->leave_out({{first.pid(), {std::chrono::steady_clock::now() + 1h, sought}}});
        return finder->find();
    };
    BOOST_TEST(leave_out(false).process.pid == second.pid());
    const FoundProcess none = leave_out(true);
    BOOST_TEST(none.process.pid == 0);
    BOOST_TEST((none.verdict == Verdict::unknown));
    BOOST_TEST(none.why.starts_with("process " + std::to_string(first.pid()) + " cannot be looked at"));
    finder->leave_out({{first.pid(), {std::chrono::steady_clock::now() - 1s, true}}});
    BOOST_TEST(finder->find().process.pid == first.pid());
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

BOOST_AUTO_TEST_SUITE_END()
