// What confined children that are no workers must not do, with the exact outcome of each act.
#include "common/config/config.h"
#include "common/sandbox/landlock.h"
#include "common/system/unix_socket.h"
#include "master/mailer/mailer_child.h"
#include "master/notice/spool.h"
#include "master/reader/process_reader_child.h"
#include "master/supervisord/connector.h"
#include "master/supervisord/link_child.h"
#include "master/supervisord/transport.h"
#include "t/fixture/basics.h"
#include "t/fixture/checks.h"
#include "t/fixture/process/hostile_trial.h"
#include "t/fixture/process/refusals.h"
#include "t/fixture/skip.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <sys/stat.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_sandbox_kinds)

namespace {

constexpr ChildUser kUser{61190, 61190, true, {}};

struct Row {
    const char* act;  // by its name in hostile_acts()
    const char* mailer;
    const char* reader;
    const char* link;  // over a unix socket
    const char* connector;
};

// clang-format off
constexpr Row kRows[] = {
    {"read a file", "EACCES", "done", "dies: openat", "dies: openat"},
    {"create a file", "EACCES", "dies: openat", "dies: openat", "dies: openat"},
    {"change a mode", "dies: fchmod", "dies: fchmod", "dies: fchmod", "dies: fchmod"},
    {"change times", "dies: utimensat", "dies: utimensat", "dies: utimensat", "dies: utimensat"},
    {"empty by reading", "dies: openat", "dies: openat", "dies: openat", "dies: openat"},
    {"empty by writing", "dies: openat", "dies: openat", "dies: openat", "dies: openat"},
    {"rename a file", "EACCES", "dies: renameat2", "dies: renameat2", "dies: renameat2"},
    {"remove a file", "EACCES", "dies: unlinkat", "dies: unlinkat", "dies: unlinkat"},
    {"execute", "dies: execve", "dies: execve", "dies: execve", "dies: execve"},
    {"fork", "dies: clone", "dies: clone", "dies: clone", "dies: clone"},
    {"fork, signals blocked", "signal 31", "signal 31", "signal 31", "signal 31"},
    {"start a thread", "done", "EAGAIN", "EAGAIN", "EAGAIN"},
    {"kill the parent", "dies: kill", "dies: kill", "dies: kill", "dies: kill"},
    {"signal its thread", "dies: tgkill", "dies: tgkill", "dies: tgkill", "dies: tgkill"},
    {"open a pidfd", "dies: pidfd_open", "done", "dies: pidfd_open", "dies: pidfd_open"},
    {"ptrace", "dies: ptrace", "dies: ptrace", "dies: ptrace", "dies: ptrace"},
    {"read foreign memory", "dies: process_vm_readv", "dies: process_vm_readv", "dies: process_vm_readv", "dies: process_vm_readv"},
    {"raw socket", "dies: socket", "dies: socket", "dies: socket", "dies: socket"},
    {"packet socket", "dies: socket", "dies: socket", "dies: socket", "dies: socket"},
    {"multipath socket", "dies: socket", "dies: socket", "dies: socket", "dies: socket"},
    {"unix socket", "EACCES", "dies: socket", "dies: socket", "done"},
    {"pair of datagrams", "dies: socketpair", "dies: socketpair", "dies: socketpair", "dies: socketpair"},
    {"bind", "dies: bind", "dies: socket", "dies: socket", "dies: socket"},
    {"listen", "dies: listen", "dies: socket", "dies: socket", "dies: socket"},
    {"another port", "EACCES", "dies: socket", "dies: socket", "dies: socket"},
    {"fast open to it", "dies: sendto", "dies: socket", "dies: socket", "dies: socket"},
    {"writable code", "dies: mprotect", "dies: mprotect", "dies: mprotect", "dies: mprotect"},
    {"new code", "EACCES", "EACCES", "EACCES", "EACCES"},
    {"1 GB of memory", "ENOMEM", "ENOMEM", "ENOMEM", "ENOMEM"},
    {"a new namespace", "dies: unshare", "dies: unshare", "dies: unshare", "dies: unshare"},
    {"become root", "dies: setresuid", "dies: setresuid", "dies: setresuid", "dies: setresuid"},
    {"signals by descriptor", "dies: fcntl", "dies: fcntl", "dies: fcntl", "dies: fcntl"},
    {"raise limits", "dies: prlimit64", "dies: prlimit64", "dies: prlimit64", "dies: prlimit64"},
    {"io_uring", "dies: io_uring_setup", "dies: io_uring_setup", "dies: io_uring_setup", "dies: io_uring_setup"},
    {"be debugged", "EPERM", "EPERM", "EPERM", "EPERM"},
    {"ignore violations", "signal 31", "signal 31", "signal 31", "signal 31"},
    {"stat of a file", "done", "EACCES", "EACCES", "done"},
    {"the same, beside", "done", "EACCES", "EACCES", "done"},
    {"stat of a descriptor", "done", "done", "done", "done"},
    {"a datagram", "done", "dies: socket", "dies: socket", "dies: socket"},
};
// clang-format on

SandboxProfile mailer_profile(bool own_user) {
    Config config;
    config.state_dir = "/nonexistent/state";
    add_mail(config).port = 2525;
    return master::mailer_profile(config, master::Spool(config.state_dir), own_user);
}

SandboxProfile link_profile() {
    return master::link_profile(*master::parse_endpoint("unix:///nonexistent/supervisor.sock"), kUser);
}

UniqueFd listening(std::string_view path) {
    UniqueFd socket = make_unix_socket();
    const sockaddr_un address = unix_address(path);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket.get(), 16) != 0)
        return {};
    return socket;
}

int connect_to(std::string_view path) {
    return connect_unix(make_unix_socket(), path);
}

auto column(const char* Row::*latest) {
    return [latest](std::size_t i) {
        return kRows[i].*latest;
    };
}

}  // namespace

BOOST_AUTO_TEST_CASE(mailer_process_reader_link_and_connector_fail_at_each_hostile_act) {
    need_seccomp();
    const auto acts = hostile_acts();
    BOOST_TEST_REQUIRE(acts.size() == std::size(kRows));
    for (std::size_t i = 0; i < acts.size(); ++i)
        BOOST_TEST_REQUIRE(std::string(kRows[i].act) == acts[i].name);
    try_each_act(mailer_profile(true), column(&Row::mailer));
    // Where it may not give the spool away, it stays root.
    try_each_act(mailer_profile(false), column(&Row::mailer));
    try_each_act(master::process_reader_profile(kUser), column(&Row::reader));
    try_each_act(link_profile(), column(&Row::link));
    try_each_act(master::connector_profile(master::SocketPlace{}), column(&Row::connector));
}

// The connector alone has sockets of AF_UNIX; a supervisord listens at a path.
BOOST_AUTO_TEST_CASE(the_connector_reaches_sockets_with_a_path_and_no_abstract_one_at_any_landlock_abi) {
    need_root("needs root, for a network namespace");
    need_seccomp();
    const TempDir dir;
    const std::string abstract = std::string(1, '\0') + dir.file("s"), path = dir.file("s");
    ::chmod(dir.path().c_str(), 0755);
    const UniqueFd nowhere = listening(abstract), somewhere = listening(path);
    BOOST_TEST_REQUIRE((nowhere && somewhere));
    ::chmod(path.c_str(), 0777);
    SandboxProfile profile = master::connector_profile(master::SocketPlace{});
    for (const int abi : landlock_abis()) {
        profile.landlock_abi = abi;
        BOOST_TEST_CONTEXT("Landlock ABI " << abi) {
            BOOST_TEST(outcome(profile, [&] { return connect_to(path); }) == "done");
            BOOST_TEST(outcome(profile, [&] { return connect_to(abstract); }) ==
                       (abi < kLandlockScopes ? "ECONNREFUSED" : "EPERM"));
        }
    }
}

BOOST_AUTO_TEST_CASE(each_hostile_act_is_in_one_row_of_the_table_that_says_what_refuses_it) {
    std::map<std::string_view, const RefusalRow*> rows;
    for (const RefusalRow& row : kRefusals)
        for (const std::string_view act : row.acts)
            if (!act.empty())
                BOOST_TEST(rows.emplace(act, &row).second, act << " is in two rows");
    for (const HostileAct& hostile : hostile_acts()) {
        BOOST_TEST_REQUIRE(rows.contains(hostile.name), hostile.name << " is in no row");
        for (std::size_t i = 0; i < kAbiColumns.size(); ++i) {
            const bool landlock = hostile.landlock > 0 && kAbiColumns[i].abi >= hostile.landlock;
            const std::string_view cell = rows.at(hostile.name)->refuse[i];
            BOOST_TEST((cell == kByLandlock) == landlock, hostile.name);
            if (hostile.landlock > 0 && !landlock)
                BOOST_TEST(cell == kPossible, hostile.name);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
