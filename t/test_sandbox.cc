#include "common/channel.h"
#include "common/sandbox.h"
#include "common/sandbox_landlock.h"
#include "common/sandbox_seccomp.h"
#include "t/fixture/basics.h"
#include "t/fixture/forked.h"
#include "t/fixture/skip.h"
#include "worker/entry.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <linux/capability.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <vector>

// What confined processes must not do, tried by each kind of worker, with the exact outcome.

using namespace healthcheckd;
using namespace healthcheckd::test;

namespace {

// An act returns 0 when it came off, otherwise errno.
using Act = int (*)();

int outcome_of(bool success) {
    return success ? 0 : errno;
}

int open_passwd() {
    return outcome_of(::open("/etc/passwd", O_RDONLY) >= 0);
}
int create_file() {
    return outcome_of(::open("/tmp/healthcheckd-hostile", O_WRONLY | O_CREAT, 0600) >= 0);
}
int make_link() {
    return outcome_of(::linkat(AT_FDCWD, "/etc/passwd", AT_FDCWD, "/tmp/healthcheckd-hostile", 0) == 0);
}
int execute() {
    char name[] = "/bin/true";
    char* argv[] = {name, nullptr};
    return outcome_of(::execv(name, argv) == 0);
}
// Not by fork(3), which blocks all signals meanwhile from glibc 2.41 on, and then the handler cannot say its
// name.
int fork_once() {
    const long pid = ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        ::_exit(0);
    return outcome_of(pid > 0);
}
int fork_blocking_signals() {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    return fork_once();
}
int start_thread() {
    pthread_t thread;
    const int error = ::pthread_create(
        &thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr);
    if (error == 0)
        ::pthread_join(thread, nullptr);
    return error;
}
int kill_parent() {
    return outcome_of(::kill(::getppid(), 0) == 0);
}
int signal_thread_of_parent() {
    return outcome_of(::syscall(SYS_tgkill, ::getppid(), ::getppid(), 0) == 0);
}
int open_pidfd() {
    return outcome_of(::syscall(SYS_pidfd_open, ::getppid(), 0) >= 0);
}
int trace_parent() {
    return outcome_of(::ptrace(PTRACE_SEIZE, ::getppid(), nullptr, nullptr) == 0);
}
int read_parent_memory() {
    char byte = 0;
    iovec here{&byte, 1};
    iovec there{&byte, 1};
    return outcome_of(::syscall(SYS_process_vm_readv, ::getppid(), &here, 1, &there, 1, 0) == 1);
}
int socket_raw() {
    return outcome_of(::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0);
}
int socket_packet() {
    return outcome_of(::socket(AF_PACKET, SOCK_RAW, 0) >= 0);
}
int socket_multipath() {
    constexpr int kMptcp = 262;
    return outcome_of(::socket(AF_INET, SOCK_STREAM, kMptcp) >= 0);
}
int socket_unix() {
    return outcome_of(::socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}
int pair_of_datagrams() {
    int fds[2];
    return outcome_of(::socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}
int bind_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = loopback(0);
    return fd < 0 ? errno
                  : outcome_of(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}
int listen_anywhere() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? errno : outcome_of(::listen(fd, 1) == 0);
}
int connect_other_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = loopback(22);
    return fd < 0
               ? errno
               : outcome_of(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}
int fast_open_other_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = loopback(22);
    return fd < 0 ? errno
                  : outcome_of(::sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL,
                                        reinterpret_cast<const sockaddr*>(&address), sizeof address) == 1);
}
int make_code_writable() {
    void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return outcome_of(::mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
}
int map_code() {
    return outcome_of(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                             -1, 0) != MAP_FAILED);
}
int take_a_gigabyte() {
    void* volatile block = std::malloc(1u << 30);
    return outcome_of(block != nullptr);
}
int new_namespace() {
    return outcome_of(::unshare(CLONE_NEWUSER) == 0);
}
int become_root() {
    return outcome_of(::setresuid(0, 0, 0) == 0);
}
int own_a_descriptor() {
    return outcome_of(::fcntl(kControlFd, F_SETOWN, ::getppid()) == 0);
}
int raise_limits() {
    const rlimit wanted{RLIM_INFINITY, RLIM_INFINITY};
    return outcome_of(::setrlimit(RLIMIT_NOFILE, &wanted) == 0);
}
int ignore_violations() {
    return outcome_of(::signal(SIGSYS, SIG_IGN) != SIG_ERR);
}
int use_io_uring() {
    return outcome_of(::syscall(SYS_io_uring_setup, 1, nullptr) >= 0);
}
int become_debuggable() {
    return outcome_of(::prctl(PR_SET_DUMPABLE, 1) == 0);
}

CatConfig cat_of(CheckType type, PidGet way = PidGet::supervisor) {
    CatConfig cat;
    cat.name = "cat1";
    cat.program = "gateway";
    cat.type = type;
    cat.pid_get = way;
    cat.pid_file = "/run/healthcheckd-test/x.pid";
    cat.port = 8080;
    return cat;
}

SandboxProfile profile_of(const CatConfig& cat) {
    return worker::worker_type(cat.type).profile(cat);
}

// "done", the name of an errno, "dies: openat" for a violation that was named, or how the child ended.
std::string outcome(const SandboxProfile& profile, const std::function<int()>& act,
                    SandboxLevel level = SandboxLevel::strict) {
    Forked child([&](pid_t parent) {
        const auto confined = enter_sandbox(profile, level, parent);
        if (!confined) {
            (void)write_line(kReportFd, confined.error().text() + "\n");
            return 1;
        }
        const int error = act();
        (void)write_line(kReportFd, std::string(error == 0 ? "done" : ::strerrorname_np(error)) + "\n");
        return 0;
    });
    const std::string line = child.line().value_or("");
    const std::string end = child.end();
    const std::string violation = "broken msg=sandbox violation: system call ";
    if (line.starts_with(violation) && end == "signal " + std::to_string(SIGSYS))
        return "dies: " + line.substr(violation.size(), line.find(" (") - violation.size());
    return end == "exit 0" ? line : line + (line.empty() ? "" : ", ") + end;
}

void need_all_layers() {
    if (!seccomp_available())
        skip("no seccomp here, or a build with AddressSanitizer");
    if (landlock_abi() < 4)
        skip("Landlock below ABI 4");
}

struct HostileAct {
    const char* name;
    Act act;
    const char* measuring;  // mem, cpu, restart
    const char* searching;  // mem, cpu with pidGet name or file
    const char* network;    // http, tcp
};

// clang-format off
const HostileAct kHostileActs[] = {
    {"read a file",           open_passwd,             "dies: openat",           "EACCES",                 "EACCES"},
    {"create a file",         create_file,             "dies: openat",           "dies: openat",           "dies: openat"},
    {"execute",               execute,                 "dies: execve",           "dies: execve",           "dies: execve"},
    {"fork",                  fork_once,               "dies: clone",            "dies: clone",            "dies: clone"},
    {"fork, signals blocked", fork_blocking_signals,   "signal 31",              "signal 31",              "signal 31"},
    {"start a thread",        start_thread,            "EAGAIN",                 "EAGAIN",                 "done"},
    {"kill the parent",       kill_parent,             "dies: kill",             "dies: kill",             "dies: kill"},
    {"signal its thread",     signal_thread_of_parent, "dies: tgkill",           "dies: tgkill",           "dies: tgkill"},
    {"open a pidfd",          open_pidfd,              "dies: pidfd_open",       "dies: pidfd_open",       "dies: pidfd_open"},
    {"ptrace",                trace_parent,            "dies: ptrace",           "dies: ptrace",           "dies: ptrace"},
    {"read foreign memory",   read_parent_memory,      "dies: process_vm_readv", "dies: process_vm_readv", "dies: process_vm_readv"},
    {"raw socket",            socket_raw,              "dies: socket",           "dies: socket",           "dies: socket"},
    {"packet socket",         socket_packet,           "dies: socket",           "dies: socket",           "dies: socket"},
    {"multipath socket",      socket_multipath,        "dies: socket",           "dies: socket",           "dies: socket"},
    {"unix socket",           socket_unix,             "dies: socket",           "dies: socket",           "EACCES"},
    {"pair of datagrams",     pair_of_datagrams,       "dies: socketpair",       "dies: socketpair",       "dies: socketpair"},
    {"bind",                  bind_port,               "dies: socket",           "dies: socket",           "dies: bind"},
    {"listen",                listen_anywhere,         "dies: socket",           "dies: socket",           "dies: listen"},
    {"another port",          connect_other_port,      "dies: socket",           "dies: socket",           "EACCES"},
    {"fast open to it",       fast_open_other_port,    "dies: socket",           "dies: socket",           "dies: sendto"},
    {"writable code",         make_code_writable,      "dies: mprotect",         "dies: mprotect",         "dies: mprotect"},
    {"new code",              map_code,                "EACCES",                 "EACCES",                 "EACCES"},
    {"1 GB of memory",        take_a_gigabyte,         "ENOMEM",                 "ENOMEM",                 "ENOMEM"},
    {"a new namespace",       new_namespace,           "dies: unshare",          "dies: unshare",          "dies: unshare"},
    {"become root",           become_root,             "dies: setresuid",        "dies: setresuid",        "dies: setresuid"},
    {"signals by descriptor", own_a_descriptor,        "dies: fcntl",            "dies: fcntl",            "dies: fcntl"},
    {"raise limits",          raise_limits,            "dies: prlimit64",        "dies: prlimit64",        "dies: prlimit64"},
    {"io_uring",              use_io_uring,            "dies: io_uring_setup",   "dies: io_uring_setup",   "dies: io_uring_setup"},
    {"be debugged",           become_debuggable,       "EPERM",                  "EPERM",                  "EPERM"},
    {"ignore violations",     ignore_violations,       "signal 31",              "signal 31",              "signal 31"},
};
// clang-format on

int resolve(const char* name) {
    addrinfo* list = nullptr;
    const int error = ::getaddrinfo(name, "80", nullptr, &list);
    if (error != 0)
        return error == EAI_SYSTEM ? errno : EHOSTUNREACH;
    ::freeaddrinfo(list);
    return 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_sandbox)

BOOST_AUTO_TEST_CASE(mem_cpu_and_restart_workers_fail_at_each_hostile_act) {
    need_all_layers();
    for (const CheckType type : {CheckType::mem, CheckType::cpu, CheckType::restart})
        for (const HostileAct& hostile : kHostileActs)
            BOOST_TEST_CONTEXT(to_string(type) << ": " << hostile.name)
    BOOST_TEST(outcome(profile_of(cat_of(type)), hostile.act) == hostile.measuring);
}

BOOST_AUTO_TEST_CASE(workers_that_search_a_process_fail_at_each_hostile_act) {
    need_all_layers();
    for (const PidGet way : {PidGet::name, PidGet::file})
        for (const HostileAct& hostile : kHostileActs)
            BOOST_TEST_CONTEXT(to_string(way) << ": " << hostile.name)
    BOOST_TEST(outcome(profile_of(cat_of(CheckType::mem, way)), hostile.act) == hostile.searching);
}

BOOST_AUTO_TEST_CASE(http_and_tcp_workers_fail_at_each_hostile_act) {
    need_all_layers();
    for (const CheckType type : {CheckType::http, CheckType::tcp})
        for (const HostileAct& hostile : kHostileActs)
            BOOST_TEST_CONTEXT(to_string(type) << ": " << hostile.name)
    BOOST_TEST(outcome(profile_of(cat_of(type)), hostile.act) == hostile.network);
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
    BOOST_TEST(outcome(profile_of(cat_of(CheckType::http)), [] { return resolve("localhost"); }) == "done");
}

BOOST_AUTO_TEST_CASE(an_unknown_name_is_an_error_and_not_a_violation) {
    if (::geteuid() != 0)
        skip("needs root, for a network without any name server");
    Forked child([](pid_t parent) {
        CatConfig cat = cat_of(CheckType::http);
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
    BOOST_TEST(outcome(profile_of(cat_of(CheckType::http)), act) == "dies: kill");
}

BOOST_AUTO_TEST_CASE(an_abort_stays_an_abort) {
    const auto act = []() -> int {
        std::abort();
    };
    BOOST_TEST(outcome(profile_of(cat_of(CheckType::mem)), act) == "signal 6");
}

BOOST_AUTO_TEST_CASE(nothing_of_root_is_left_and_nothing_comes_back) {
    if (::geteuid() != 0)
        skip("needs root");
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
    BOOST_TEST(outcome(profile_of(cat_of(CheckType::mem)), act, SandboxLevel::off) ==
               (::prctl(PR_CAPBSET_READ, 8) == 1 ? "done" : "EEXIST"));
}

BOOST_AUTO_TEST_CASE(level_log_names_each_call_once_and_lets_the_process_go_on) {
    need_all_layers();
    Forked child([](pid_t parent) {
        CatConfig cat = cat_of(CheckType::mem);
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
        CatConfig cat = cat_of(CheckType::mem);
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
    if (::geteuid() != 0)
        skip("needs root, to become somebody else");
    need_all_layers();
    Forked child([](pid_t parent) {
        if (::setresgid(1000, 1000, 1000) != 0 || ::setresuid(1000, 1000, 1000) != 0)
            return 1;
        CatConfig cat = cat_of(CheckType::mem);
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
        CatConfig cat = cat_of(CheckType::mem);
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
            CatConfig cat = cat_of(CheckType::mem);
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

BOOST_AUTO_TEST_CASE(system_calls_have_names) {
    BOOST_TEST(system_call_name(SYS_openat) == "openat");
    BOOST_TEST(system_call_name(SYS_exit_group) == "exit_group");
    BOOST_TEST(system_call_name(9999) == "syscall 9999");
    BOOST_TEST(system_call_name(-1) == "syscall -1");
}

BOOST_AUTO_TEST_SUITE_END()
