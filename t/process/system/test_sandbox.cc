#include "common/sandbox/landlock.h"
#include "common/sandbox/sandbox.h"
#include "common/wire/channel.h"
#include "t/fixture/basics.h"
#include "t/fixture/checks.h"
#include "t/fixture/process/forked.h"
#include "t/fixture/process/hostile_trial.h"
#include "t/fixture/skip.h"
#include "worker/entry.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

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

// The outcomes of one kind of worker.
auto column(const char* HostileAct::*latest) {
    return [latest](std::size_t i) {
        return hostile_acts()[i].*latest;
    };
}

}  // namespace

BOOST_AUTO_TEST_CASE(mem_cpu_and_restart_workers_fail_at_each_hostile_act) {
    need_seccomp();
    for (const CheckType* type : {&kMemCheck, &kCpuCheck, &kRestartCheck})
        try_each_act(profile_of(cat_of(*type)), column(&HostileAct::measuring));
}

BOOST_AUTO_TEST_CASE(workers_that_search_a_process_fail_at_each_hostile_act) {
    need_seccomp();
    for (const PidGet way : {PidGet::name, PidGet::file})
        try_each_act(profile_of(cat_of(kMemCheck, way)), column(&HostileAct::searching));
}

BOOST_AUTO_TEST_CASE(http_and_tcp_workers_fail_at_each_hostile_act) {
    need_seccomp();
    for (const CheckType* type : {&kHttpCheck, &kTcpCheck}) {
        try_each_act(profile_of(cat_of(*type)), column(&HostileAct::address));
        try_each_act(profile_of(named_cat(*type)), column(&HostileAct::named));
    }
}

BOOST_AUTO_TEST_CASE(who_keeps_a_spool_makes_no_links_in_it) {
    need_seccomp();
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
    need_seccomp();
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

BOOST_AUTO_TEST_CASE(level_log_names_each_call_once_and_lets_the_process_go_on) {
    need_seccomp();
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
        enter_and_tell(profile_of(cat), SandboxLevel::off, parent);
        return open_passwd();
    });
    BOOST_TEST(child.line().value_or("").ends_with("no_new_privs landlock seccomp"));
    BOOST_TEST(child.end() == "exit 0");
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
    send_signal(middle, SIGKILL);
    ::waitpid(middle, nullptr, 0);
    // The pipe ends when the last process that holds it is gone.
    pollfd end{read_end.get(), POLLIN, 0};
    BOOST_TEST(::poll(&end, 1, 5000) == 1);
    BOOST_TEST(::read(read_end.get(), &byte, 1) == 0);
}

BOOST_AUTO_TEST_CASE(system_calls_have_names) {
    BOOST_TEST(system_call_name(SYS_openat) == "openat");
    BOOST_TEST(system_call_name(SYS_exit_group) == "exit_group");
    BOOST_TEST(system_call_name(9999) == "syscall 9999");
    BOOST_TEST(system_call_name(-1) == "syscall -1");
}

BOOST_AUTO_TEST_SUITE_END()
