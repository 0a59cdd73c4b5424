// The link to supervisord: its user, what it may do, and that its ends and those of its connector are mended.
#include "common/proc/proc_stat.h"
#include "common/sandbox/sandbox.h"
#include "t/fixture/basics.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/process/forked.h"
#include "t/fixture/skip.h"
#include "t/fixture/supervisord/link_child.h"
#include "t/fixture/supervisord/supervisord.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstring>
#include <sstream>
#include <sys/resource.h>
#include <sys/socket.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_supervisord_link)

namespace {

constexpr char kWhyRoot[] = "needs root, to have somebody else listen";

std::string uids_of(pid_t pid) {
    std::istringstream status(read_file("/proc/" + std::to_string(pid) + "/status"));
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("Uid:"))
            return line.substr(5);
    return {};
}

// Descriptors of root that are on their way and that nobody takes, 400 of them, while this exists.
FdPair descriptors_in_flight() {
    int ends[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    FdPair pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
    constexpr std::size_t kEach = 200;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kEach * sizeof(int))> control{};
    char byte = 'x';
    iovec text{&byte, 1};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(kEach * sizeof(int));
    const std::vector<int> same(kEach, pair.first.get());
    std::memcpy(CMSG_DATA(header), same.data(), kEach * sizeof(int));
    for (int n = 0; n < 2; ++n)
        BOOST_REQUIRE(::sendmsg(pair.first.get(), &message, MSG_NOSIGNAL) == 1);
    return pair;
}

// A limit of descriptors for what is forked meanwhile.
class FewDescriptors {
public:
    explicit FewDescriptors(rlim_t limit) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const rlimit few{limit, limit};
        ::setrlimit(RLIMIT_NOFILE, &few);
    }
    ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    FewDescriptors(const FewDescriptors&) = delete;
    FewDescriptors& operator=(const FewDescriptors&) = delete;

private:
    rlimit before_{};
};

}  // namespace

BOOST_AUTO_TEST_CASE(descriptors_of_others_on_their_way_do_not_take_the_link_away) {
    need_root(kWhyRoot);
    Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    BOOST_REQUIRE(supervisord.wait_state("web", "RUNNING"));
    LinkChild link(link_config(supervisord.url()));
    BOOST_REQUIRE(link.read_line().starts_with("ready missing="));
    auto many = descriptors_in_flight();
    BOOST_TEST(link.call("list").end.code == kCallOk);
    many = {};
    // With more than its limit allows a call fails, and the next goes on.
    std::unique_ptr<LinkChild> limited;
    {
        const FewDescriptors few(150);
        limited = std::make_unique<LinkChild>(link_config(supervisord.url()));
    }
    BOOST_REQUIRE(limited->read_line().starts_with("ready missing="));
    many = descriptors_in_flight();
    const auto failed = limited->call("list");
    BOOST_TEST(failed.end.code == kCallUnreachable);
    BOOST_TEST(has(failed.end.message, "Too many references"), failed.end.message);
    many = {};
    BOOST_TEST(limited->call("list").end.code == kCallOk);
}

BOOST_AUTO_TEST_CASE(the_link_is_not_root_and_only_its_connector_can_connect) {
    need_root(kWhyRoot);
    Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Daemon daemon(supervisord.url(), "cat1: {program: web, type: mem, maxMem: 100}\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_log("is reached"), daemon.log());
    const pid_t link = daemon.child("supervisord link");
    const pid_t connector = daemon.child("supervisord connector");
    BOOST_REQUIRE((link > 0 && connector > 0));
    BOOST_TEST(!uids_of(link).starts_with("0\t"));
    BOOST_TEST(process_info(connector)->parent == link);
    // Neither outlives the other, and both come again.
    send_signal(connector, SIGKILL);
    BOOST_TEST(daemon.wait_for_log("the process that connects to supervisord has ended"), daemon.log());
    BOOST_TEST(wait_until([&] {
        const pid_t next = daemon.child("supervisord link");
        return next > 0 && next != link && daemon.child("supervisord connector") > 0;
    }));
    const pid_t next = daemon.child("supervisord connector");
    send_signal(daemon.child("supervisord link"), SIGKILL);
    BOOST_TEST(wait_until([&] { return !alive(next); }));
}

// As its owner can stop it, where the socket belongs to another user.
BOOST_AUTO_TEST_CASE(a_connector_that_is_stopped_is_replaced_and_supervisord_is_not_blamed) {
    Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Daemon daemon(supervisord.url(), "cat1: {program: web, type: mem, maxMem: 100, periodSeconds: 0.5}\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_log("is reached"), daemon.log());
    const pid_t stopped = daemon.child("supervisord connector");
    BOOST_REQUIRE(stopped > 0);
    send_signal(stopped, SIGSTOP);
    // The table is asked for every now and then.
    BOOST_TEST(daemon.wait_for_log("connects to supervisord does not answer", 60s), daemon.log());
    BOOST_TEST(daemon.wait_for_log("is back", 20s), daemon.log());
    BOOST_TEST(wait_until([&] { return !alive(stopped); }));
    const pid_t next = daemon.child("supervisord connector");
    BOOST_TEST((next > 0 && next != stopped));
    BOOST_TEST(daemon.count_log("no connection within") == 0u);
}

// What a link that is taken over may do about roots sockets: nothing, beside what its connector brings.
BOOST_AUTO_TEST_CASE(a_link_cannot_make_a_socket_of_its_own) {
    SandboxProfile profile;
    profile.name = "link";
    Forked hostile([&](pid_t parent) {
        if (!enter_sandbox(profile, SandboxLevel::strict, parent))
            return 3;
        return ::socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? 1 : 0;
    });
    const std::string end = hostile.end();
#if !defined(__SANITIZE_ADDRESS__)  // whose run-time needs calls that the filter forbids
    BOOST_TEST(end == "signal 31");
#endif
}

BOOST_AUTO_TEST_SUITE_END()
