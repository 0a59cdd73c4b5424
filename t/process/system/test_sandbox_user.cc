// The user of a confined process: what it cannot do by its uid alone, and what is left of another one.
#include "common/sandbox/landlock.h"
#include "common/sandbox/sandbox.h"
#include "common/wire/channel.h"
#include "master/process/worker_uids.h"
#include "t/fixture/basics.h"
#include "t/fixture/checks.h"
#include "t/fixture/process/forked.h"
#include "t/fixture/process/hostile_trial.h"
#include "t/fixture/skip.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fstream>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_sandbox_user)

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

BOOST_AUTO_TEST_CASE(without_root_only_the_uid_is_missing) {
    need_root("needs root, to become somebody else");
    need_seccomp();
    Forked child([](pid_t parent) {
        if (::setresgid(1000, 1000, 1000) != 0 || ::setresuid(1000, 1000, 1000) != 0)
            return 1;
        CatConfig cat = cat_of(kMemCheck);
        enter_and_tell(profile_of(cat), SandboxLevel::strict, parent);
        (void)open_passwd();
        return 0;
    });
    BOOST_TEST(child.line().value_or("") == missing_at(landlock_abi(), {"bounding set", "uid"}));
    BOOST_TEST(child.line().value_or("").starts_with("broken msg=sandbox violation: system call openat"));
    BOOST_TEST(child.end() == "signal 31");
}

BOOST_AUTO_TEST_CASE(threads_end_at_the_limit_of_a_uid_that_nobody_else_has) {
    need_root("needs root, for a uid of its own");
    need_seccomp();
    const auto user = master::WorkerUids().take();
    CatConfig cat = cat_of(kHttpCheck);
    cat.own<ServerAddress>().host = "web.test.local";
    SandboxProfile profile = profile_of(cat);
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
    need_seccomp();
    Forked child([](pid_t parent) {
        const auto write = [](const char* file, const char* text) {
            return static_cast<bool>(std::ofstream(file) << text << std::flush);
        };
        if (::unshare(CLONE_NEWUSER) != 0 || !write("/proc/self/uid_map", "0 0 1") ||
            !write("/proc/self/setgroups", "deny") || !write("/proc/self/gid_map", "0 0 1"))
            return 1;
        SandboxProfile profile = profile_of(cat_of(kMemCheck));
        profile.uid = profile.gid = 61'200;
        enter_and_tell(profile, SandboxLevel::strict, parent);
        (void)open_passwd();
        return 0;
    });
    const std::string first = child.line().value_or("");
    if (first.empty() && child.end() == "exit 1")
        skip("no user namespace can be made here");
    BOOST_TEST(first == missing_at(landlock_abi(), {"uid"}));
    BOOST_TEST(child.line().value_or("").starts_with("broken msg=sandbox violation: system call openat"));
}

BOOST_AUTO_TEST_SUITE_END()
