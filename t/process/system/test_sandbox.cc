#include "common/sandbox/landlock.h"
#include "common/sandbox/sandbox.h"
#include "common/sandbox/seccomp.h"
#include "common/wire/channel.h"
#include "master/process/worker_uids.h"
#include "t/fixture/basics.h"
#include "t/fixture/checks.h"
#include "t/fixture/process/forked.h"
#include "t/fixture/process/hostile_acts.h"
#include "t/fixture/skip.h"
#include "worker/entry.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <grp.h>
#include <linux/capability.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <vector>

// What confined processes must not do, tried by each kind of worker, with the exact outcome.

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_sandbox)

namespace {

CatConfig named_cat(const CheckType& type) {
    CatConfig cat = cat_of(type);
    cat.own<ServerAddress>().host = "web.test.local";
    return cat;
}

int make_link() {
    const int made = ::linkat(AT_FDCWD, "/etc/passwd", AT_FDCWD, "/tmp/healthcheckd-hostile", 0);
    return made == 0 ? 0 : errno;
}

int resolve(const char* name) {
    addrinfo* list = nullptr;
    const int error = ::getaddrinfo(name, "80", nullptr, &list);
    if (error != 0)
        return error == EAI_SYSTEM ? errno : EHOSTUNREACH;
    ::freeaddrinfo(list);
    return 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(mem_cpu_and_restart_workers_fail_at_each_hostile_act) {
    need_all_layers();
    for (const CheckType* type : {&kMemCheck, &kCpuCheck, &kRestartCheck})
        for (const HostileAct& hostile : hostile_acts())
            BOOST_TEST_CONTEXT(to_string(type) << ": " << hostile.name)
    BOOST_TEST(outcome(profile_of(cat_of(*type)), hostile.act) == hostile.measuring);
}

BOOST_AUTO_TEST_CASE(workers_that_search_a_process_fail_at_each_hostile_act) {
    need_all_layers();
    for (const PidGet way : {PidGet::name, PidGet::file})
        for (const HostileAct& hostile : hostile_acts())
            BOOST_TEST_CONTEXT(to_string(way) << ": " << hostile.name)
    BOOST_TEST(outcome(profile_of(cat_of(kMemCheck, way)), hostile.act) == hostile.searching);
}

BOOST_AUTO_TEST_CASE(http_and_tcp_workers_fail_at_each_hostile_act) {
    need_all_layers();
    for (const CheckType* type : {&kHttpCheck, &kTcpCheck})
        for (const HostileAct& hostile : hostile_acts())
            BOOST_TEST_CONTEXT(to_string(type) << ": " << hostile.name) {
                BOOST_TEST(outcome(profile_of(cat_of(*type)), hostile.act) == hostile.address);
                BOOST_TEST(outcome(profile_of(named_cat(*type)), hostile.act) == hostile.named);
            }
}

BOOST_AUTO_TEST_CASE(who_keeps_a_spool_makes_no_links_in_it) {
    need_all_layers();
    const TempDir dir;
    SandboxProfile profile;
    profile.open_files = true;
    profile.writable = {dir.path().string()};
    BOOST_TEST(outcome(profile, make_link) == "dies: linkat");
}

BOOST_AUTO_TEST_CASE(names_of_the_hosts_file_still_resolve_in_an_http_worker) {
    BOOST_TEST(outcome(profile_of(named_cat(kHttpCheck)), [] { return resolve("localhost"); }) == "done");
}

BOOST_AUTO_TEST_CASE(an_unknown_name_is_an_error_and_not_a_violation) {
    need_root("needs root, for a network without any name server");
    Forked child([](pid_t parent) {
        CatConfig cat = named_cat(kHttpCheck);
        if (::unshare(CLONE_NEWNET) != 0 || !enter_sandbox(profile_of(cat), SandboxLevel::strict, parent))
            return 1;
        return resolve("no-such-name.invalid") == EHOSTUNREACH ? 0 : 2;
    });
    BOOST_TEST(child.end(30s) == "exit 0");
}

BOOST_AUTO_TEST_CASE(a_violation_in_a_thread_ends_the_whole_process) {
    need_all_layers();
    const auto act = [] {
        pthread_t thread;
        ::pthread_create(
            &thread, nullptr,
            [](void*) -> void* {
                (void)kill_parent();
                return nullptr;
            },
            nullptr);
        ::pthread_join(thread, nullptr);
        return 0;
    };
    BOOST_TEST(outcome(profile_of(named_cat(kHttpCheck)), act) == "dies: kill");
}

BOOST_AUTO_TEST_CASE(an_abort_stays_an_abort) {
    const auto act = []() -> int {
        std::abort();
    };
    BOOST_TEST(outcome(profile_of(cat_of(kMemCheck)), act) == "signal 6");
}

BOOST_AUTO_TEST_CASE(nothing_of_root_is_left_and_nothing_comes_back) {
    need_root("needs root");
    const auto act = [] {
        uid_t real = 0, effective = 0, saved = 0;
        ::getresuid(&real, &effective, &saved);
        if (real != 65534 || effective != 65534 || saved != 65534 || ::getgroups(0, nullptr) != 0)
            return EEXIST;
        __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3]{};
        if (::syscall(SYS_capget, &header, sets) != 0)
            return errno;
        for (const auto& set : sets)
            if (set.effective != 0 || set.permitted != 0 || set.inheritable != 0)
                return EEXIST;
        for (int capability = 0; capability < 64; ++capability)
            if (::prctl(PR_CAPBSET_READ, capability) == 1)
                return EEXIST;
        return ::setresuid(0, 0, 0) == 0 ? EEXIST : 0;
    };
    // Without seccomp, which would not let the questions be asked.
    BOOST_TEST(outcome(profile_of(cat_of(kMemCheck)), act, SandboxLevel::off) ==
               (::prctl(PR_CAPBSET_READ, 8) == 1 ? "done" : "EEXIST"));
}

BOOST_AUTO_TEST_CASE(level_log_names_each_call_once_and_lets_the_process_go_on) {
    need_all_layers();
    Forked child([](pid_t parent) {
        CatConfig cat = cat_of(kMemCheck);
        if (!enter_sandbox(profile_of(cat), SandboxLevel::log, parent))
            return 1;
        const bool answered = kill_parent() == ENOSYS && kill_parent() == ENOSYS && open_pidfd() == ENOSYS;
        return answered ? 0 : 2;
    });
    BOOST_TEST(child.line().value_or("") ==
               "broken msg=sandbox violation: system call kill (" + std::to_string(SYS_kill) + ")");
    BOOST_TEST(child.line().value_or("") == "broken msg=sandbox violation: system call pidfd_open (" +
                                                std::to_string(SYS_pidfd_open) + ")");
    BOOST_TEST(!child.line());
    BOOST_TEST(child.end() == "exit 0");
}

BOOST_AUTO_TEST_CASE(level_off_says_which_layers_are_missing) {
    Forked child([](pid_t parent) {
        CatConfig cat = cat_of(kMemCheck);
        const auto missing = enter_sandbox(profile_of(cat), SandboxLevel::off, parent);
        std::string text = missing ? "missing:" : missing.error().text();
        if (missing)
            for (const std::string& layer : *missing)
                text += " " + layer;
        (void)write_line(kReportFd, text + "\n");
        return open_passwd();
    });
    BOOST_TEST(child.line().value_or("").ends_with("no_new_privs landlock seccomp"));
    BOOST_TEST(child.end() == "exit 0");
}

BOOST_AUTO_TEST_CASE(without_root_only_the_uid_is_missing) {
    need_root("needs root, to become somebody else");
    need_all_layers();
    Forked child([](pid_t parent) {
        if (::setresgid(1000, 1000, 1000) != 0 || ::setresuid(1000, 1000, 1000) != 0)
            return 1;
        CatConfig cat = cat_of(kMemCheck);
        const auto missing = enter_sandbox(profile_of(cat), SandboxLevel::strict, parent);
        std::string text = missing ? "missing:" : missing.error().text();
        if (missing)
            for (const std::string& layer : *missing)
                text += " " + layer;
        (void)write_line(kReportFd, text + "\n");
        (void)open_passwd();
        return 0;
    });
    BOOST_TEST(child.line().value_or("") == "missing: bounding set uid");
    BOOST_TEST(child.line().value_or("").starts_with("broken msg=sandbox violation: system call openat"));
    BOOST_TEST(child.end() == "signal 31");
}

BOOST_AUTO_TEST_CASE(another_parent_than_the_master_is_an_error_with_the_steps_name) {
    Forked child([](pid_t) {
        CatConfig cat = cat_of(kMemCheck);
        const auto confined = enter_sandbox(profile_of(cat), SandboxLevel::strict, 1);
        (void)write_line(kReportFd, (confined ? "confined" : confined.error().text()) + "\n");
        return 0;
    });
    BOOST_TEST(child.line().value_or("") == "parent-death signal: the master is gone");
}

BOOST_AUTO_TEST_CASE(a_confined_process_dies_with_its_parent) {
    auto pipe = make_pipe();
    BOOST_TEST_REQUIRE(static_cast<bool>(pipe));
    auto& [read_end, write_end] = *pipe;
    const pid_t middle = ::fork();
    if (middle == 0) {
        const pid_t self = ::getpid();
        if (::fork() == 0) {
            CatConfig cat = cat_of(kMemCheck);
            const bool confined =
                static_cast<bool>(enter_sandbox(profile_of(cat), SandboxLevel::strict, self));
            (void)write_line(write_end.get(), confined ? "c" : "e");
            for (;;)
                ::poll(nullptr, 0, 1000);
        }
        ::poll(nullptr, 0, 20000);
        ::_exit(0);
    }
    write_end.reset();
    char byte = 0;
    BOOST_TEST_REQUIRE(::read(read_end.get(), &byte, 1) == 1);
    BOOST_TEST(byte == 'c');
    ::kill(middle, SIGKILL);
    ::waitpid(middle, nullptr, 0);
    // The pipe ends when the last process that holds it is gone.
    pollfd end{read_end.get(), POLLIN, 0};
    BOOST_TEST(::poll(&end, 1, 5000) == 1);
    BOOST_TEST(::read(read_end.get(), &byte, 1) == 0);
}

BOOST_AUTO_TEST_CASE(threads_end_at_the_limit_of_a_uid_that_nobody_else_has) {
    need_root("needs root, for a uid of its own");
    need_all_layers();
    const auto user = master::WorkerUids().take();
    SandboxProfile profile = profile_of(named_cat(kHttpCheck));
    profile.uid = user->uid;
    profile.gid = user->gid;
    profile.tasks = 9;
    const auto act = [] {
        int threads = 0;
        for (pthread_t thread; threads < 1'000; ++threads)
            if (::pthread_create(
                    &thread, nullptr,
                    [](void*) -> void* {
                        for (;;)
                            ::poll(nullptr, 0, 1000);
                    },
                    nullptr) != 0)
                break;
        return threads == 8 ? 0 : E2BIG;
    };
    BOOST_TEST(outcome(profile, act) == "done");
}

// What seccomp and Landlock would refuse besides, where the kernel has them.
BOOST_AUTO_TEST_CASE(by_its_uid_alone_a_worker_reaches_neither_another_one_nor_a_program) {
    need_root("needs root, for uids of their own");
    master::WorkerUids uids;
    const auto profile_for = [](const ChildUser& user) {
        SandboxProfile profile = profile_of(cat_of(kMemCheck));
        profile.uid = user.uid;
        profile.gid = user.gid;
        return profile;
    };
    const auto one = uids.take();
    const auto two = uids.take();
    Forked other([&](pid_t parent) {
        if (!enter_sandbox(profile_for(*one), SandboxLevel::off, parent))
            return 1;
        (void)write_line(kReportFd, "confined\n");
        for (;;)
            ::poll(nullptr, 0, 1000);
    });
    BOOST_TEST_REQUIRE(other.line().value_or("") == "confined");
    const Subprocess nobodys({"/bin/sleep", "60"}, {.env = {}, .output = {}, .uid = kNobody});
    BOOST_TEST_REQUIRE(wait_until([&] {
        return read_file("/proc/" + std::to_string(nobodys.pid()) + "/cmdline").starts_with("/bin/sleep");
    }));
    for (const pid_t target : {other.pid(), nobodys.pid()}) {
        const auto profile = profile_for(*two);
        BOOST_TEST(outcome(
                       profile, [target] { return ::kill(target, SIGSTOP) == 0 ? 0 : errno; },
                       SandboxLevel::off) == "EPERM");
        BOOST_TEST(outcome(
                       profile,
                       [target] {
                           return ::setpriority(PRIO_PROCESS, static_cast<id_t>(target), 19) == 0 ? 0 : errno;
                       },
                       SandboxLevel::off) == "EPERM");
        const rlimit none{0, 0};
        BOOST_TEST(outcome(
                       profile,
                       [&] { return ::prlimit(target, RLIMIT_NOFILE, &none, nullptr) == 0 ? 0 : errno; },
                       SandboxLevel::off) == "EPERM");
    }
}

BOOST_AUTO_TEST_CASE(a_uid_that_cannot_be_had_is_said_to_be_missing_and_the_rest_holds) {
    need_root("needs root, for a user namespace");
    need_all_layers();
    Forked child([](pid_t parent) {
        const auto write = [](const char* file, const char* text) {
            return static_cast<bool>(std::ofstream(file) << text << std::flush);
        };
        if (::unshare(CLONE_NEWUSER) != 0 || !write("/proc/self/uid_map", "0 0 1") ||
            !write("/proc/self/setgroups", "deny") || !write("/proc/self/gid_map", "0 0 1"))
            return 1;
        SandboxProfile profile = profile_of(cat_of(kMemCheck));
        profile.uid = profile.gid = 61'200;
        const auto missing = enter_sandbox(profile, SandboxLevel::strict, parent);
        std::string text = missing ? "missing:" : missing.error().text();
        if (missing)
            for (const std::string& layer : *missing)
                text += " " + layer;
        (void)write_line(kReportFd, text + "\n");
        (void)open_passwd();
        return 0;
    });
    const std::string first = child.line().value_or("");
    if (first.empty() && child.end() == "exit 1")
        skip("no user namespace can be made here");
    BOOST_TEST(first == "missing: uid");
    BOOST_TEST(child.line().value_or("").starts_with("broken msg=sandbox violation: system call openat"));
}

BOOST_AUTO_TEST_CASE(system_calls_have_names) {
    BOOST_TEST(system_call_name(SYS_openat) == "openat");
    BOOST_TEST(system_call_name(SYS_exit_group) == "exit_group");
    BOOST_TEST(system_call_name(9999) == "syscall 9999");
    BOOST_TEST(system_call_name(-1) == "syscall -1");
}

BOOST_AUTO_TEST_SUITE_END()
