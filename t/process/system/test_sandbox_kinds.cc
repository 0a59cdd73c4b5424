// What confined children that are no workers must not do, with the exact outcome of each act.
#include "common/config/config.h"
#include "master/mailer/mailer_child.h"
#include "master/notice/spool.h"
#include "master/reader/process_reader_child.h"
#include "master/supervisord/connector.h"
#include "master/supervisord/link_child.h"
#include "master/supervisord/transport.h"
#include "t/fixture/basics.h"
#include "t/fixture/checks.h"
#include "t/fixture/process/hostile_acts.h"

#include <boost/test/unit_test.hpp>

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

SandboxProfile mailer_profile() {
    Config config;
    config.state_dir = "/nonexistent/state";
    add_mail(config).port = 2525;
    return master::mailer_profile(config, master::Spool(config.state_dir));
}

SandboxProfile link_profile() {
    return master::link_profile(*master::parse_endpoint("unix:///nonexistent/supervisor.sock"), kUser);
}

}  // namespace

BOOST_AUTO_TEST_CASE(mailer_process_reader_link_and_connector_fail_at_each_hostile_act) {
    need_all_layers();
    const auto acts = hostile_acts();
    BOOST_TEST_REQUIRE(acts.size() == std::size(kRows));
    for (std::size_t i = 0; i < acts.size(); ++i)
        BOOST_TEST_CONTEXT(acts[i].name) {
            BOOST_TEST(std::string(kRows[i].act) == acts[i].name);
            BOOST_TEST(outcome(mailer_profile(), acts[i].act) == kRows[i].mailer);
            BOOST_TEST(outcome(master::process_reader_profile(kUser), acts[i].act) == kRows[i].reader);
            BOOST_TEST(outcome(link_profile(), acts[i].act) == kRows[i].link);
            BOOST_TEST(outcome(master::connector_profile(master::SocketPlace{}), acts[i].act) ==
                       kRows[i].connector);
        }
}

BOOST_AUTO_TEST_SUITE_END()
