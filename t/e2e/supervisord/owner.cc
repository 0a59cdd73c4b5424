// Tests which process is accepted as supervisord and gets its password, and which processes it can have killed.
#include "common/proc/proc_stat.h"
#include "common/sandbox/sandbox.h"
#include "master/supervisord/rpc.h"
#include "master/trust/supervisor_owner.h"
#include "master/trust/tcp_owner.h"
#include "t/fixture/basics.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/process/drop_capability.h"
#include "t/fixture/process/forked.h"
#include "t/fixture/skip.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/impostor.h"
#include "t/fixture/supervisord/link_child.h"
#include "t/fixture/supervisord/supervisord.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstring>
#include <fstream>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sstream>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <thread>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_supervisord_owner)

namespace {

constexpr char kWhyRoot[] = "needs root, to have somebody else listen";

constexpr uid_t kStranger = 1234;

// As /tmp: everybody may make files, and remove his own.
void open_to_all(const std::filesystem::path& folder) {
    BOOST_REQUIRE(::chmod(folder.c_str(), 01777) == 0);
}

// Listens at `path` and holds that in a process whose parent, which called listen(2), has ended: its pid.
pid_t listen_as_daemon(const TempDir& dir, const std::string& path) {
    Subprocess first(
        [&]() -> int {
            const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM, 0));
            sockaddr_un address{};
            address.sun_family = AF_UNIX;
            const std::string bound = path + ".1";
            bound.copy(address.sun_path, sizeof address.sun_path - 1);
            if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
                ::listen(listener.get(), 5) != 0 || ::link(bound.c_str(), path.c_str()) != 0)
                return 1;
            ::unlink(bound.c_str());
            const pid_t daemon = ::fork();
            if (daemon == 0) {
                ::alarm(30);
                ::pause();
                ::_exit(0);
            }
            dir.write("pid", std::to_string(daemon));
            return 0;
        },
        Subprocess::Options{});
    BOOST_REQUIRE(first.wait(5s) == 0);
    return std::stoi(read_file(dir.file("pid")));
}

}  // namespace

BOOST_AUTO_TEST_CASE(whoever_took_the_sockets_path_gets_no_password_and_is_not_believed) {
    need_root(kWhyRoot);
    const TempDir dir;
    open_to_all(dir.path());
    const Impostor impostor({.path = dir.file("s")}, kStranger);
    LinkChild link(link_config("unix://" + dir.file("s"), "admin", "topsecret"));
    const auto answer = link.call("list");
    BOOST_TEST(answer.end.code == kCallRefused);
    BOOST_TEST(answer.programs.empty());
    BOOST_TEST(has(answer.end.message, "the socket belongs to uid 1234"), answer.end.message);
    BOOST_TEST(has(answer.end.message, "config.supervisordOwner: 1234"), answer.end.message);
    BOOST_TEST(impostor.heard() == "");
}

BOOST_AUTO_TEST_CASE(the_owner_that_the_configuration_names_is_believed) {
    need_root(kWhyRoot);
    const TempDir dir;
    open_to_all(dir.path());
    const Impostor meant({.path = dir.file("s")}, kStranger);
    const auto config = link_config("unix://" + dir.file("s"), "admin", "topsecret");
    config->supervisord_owner = kStranger;
    LinkChild link(config);
    BOOST_TEST(link.read_line().starts_with("ready missing="));
    BOOST_TEST(link.new_client()->call("list", "", 10s).ok());
    BOOST_TEST(has(meant.heard(), "Authorization: Basic YWRtaW46dG9wc2VjcmV0"), meant.heard());
    BOOST_TEST(link.read_line() == "owner uid=1234");
}

BOOST_AUTO_TEST_CASE(a_port_of_this_machine_that_another_user_holds_gets_no_password_and_is_not_believed) {
    need_root(kWhyRoot);
    for (const char* host : {"127.0.0.1", "localhost"})
        BOOST_TEST_CONTEXT(host) {
            const int port = free_port();
            const Impostor impostor({.path = {}, .port = port}, kStranger);
            const std::string url = std::string("http://") + host + ":" + std::to_string(port);
            const auto config = link_config(url, "admin", "topsecret");
            LinkChild link(config);
            const auto answer = link.call("list");
            BOOST_TEST(answer.end.code == kCallRefused);
            BOOST_TEST(has(answer.end.message, "config.supervisordOwner: 1234"), answer.end.message);
            BOOST_TEST(impostor.heard() == "");
            config->supervisord_owner = kStranger;
            LinkChild believing(config);
            BOOST_TEST(believing.new_client()->call("list", "", 10s).ok());
            BOOST_TEST(has(impostor.heard(), "Authorization: Basic YWRtaW46dG9wc2VjcmV0"));
        }
}

// Until it is accepted, the kernel shows such a connection as root's.
BOOST_AUTO_TEST_CASE(a_port_where_nobody_accepts_is_not_taken_for_roots) {
    need_root(kWhyRoot);
    const int port = free_port();
    const Impostor impostor({.path = {}, .port = port}, kStranger, 1, false);
    const auto config = link_config("http://127.0.0.1:" + std::to_string(port), "admin", "topsecret");
    auto endpoint = master::parse_endpoint(config->supervisord_url);
    BOOST_REQUIRE(endpoint);
    master::SupervisorRpc supervisor(*endpoint, *config, 500ms);
    std::vector<ProgramLine> programs;
    BOOST_TEST(supervisor.list(programs).code == kCallTimeout);
    // Nothing waits to be read in the connections that he has not accepted.
    std::ifstream table("/proc/net/tcp");
    std::array<char, 16> hex{};
    std::snprintf(hex.data(), hex.size(), "0100007F:%04X ", static_cast<unsigned>(port));
    int connections = 0;
    for (std::string line; std::getline(table, line);)
        if (const auto at = line.find(hex.data()); at != std::string::npos && at < 10) {
            std::istringstream fields(line);
            std::string slot, local, remote, state, queues;
            fields >> slot >> local >> remote >> state >> queues;
            if (state == "0A")
                continue;
            ++connections;
            // One at most: the end of the stream.
            BOOST_TEST((queues == "00000000:00000000" || queues == "00000000:00000001"), line);
        }
    BOOST_TEST(connections >= 1);
}

BOOST_AUTO_TEST_CASE(the_owner_does_not_change_within_a_life_of_healthcheckd) {
    need_root(kWhyRoot);
    Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    BOOST_REQUIRE(supervisord.wait_state("web", "RUNNING"));
    const std::filesystem::path folder = std::filesystem::path(supervisord.socket_path()).parent_path();
    open_to_all(folder);
    Daemon daemon(supervisord.url(),
                  "cat1: {program: web, type: restart, periodSeconds: 0.2, initialDelaySeconds: 0, "
                  "action: exec, execCmd: 'true'}\n",
                  {.config_lines = "supervisordOwner: 1234\nsupervisordUser: admin\n"
                                   "supervisordPass: topsecret"});
    BOOST_TEST_REQUIRE(daemon.wait_for_log("is reached"), daemon.log());
    supervisord.down();
    const Impostor impostor({.path = supervisord.socket_path()}, kStranger);
    BOOST_TEST(daemon.wait_for_log("uid 1234 listens there, and it was root when"), daemon.log());
    // Neither does it for a link that is born later.
    const pid_t link = daemon.child("supervisord link");
    BOOST_REQUIRE(link > 0);
    send_signal(link, SIGKILL);
    BOOST_TEST(wait_until([&] {
        const pid_t next = daemon.child("supervisord connector");
        return daemon.child("supervisord link") != link && next != 0;
    }));
    const std::size_t said = daemon.count_log("is back");
    std::this_thread::sleep_for(1s);
    BOOST_TEST(daemon.count_log("is back") == said);
    BOOST_TEST(impostor.heard() == "");
}

// The link does not either; an action looks by itself.
BOOST_AUTO_TEST_CASE(an_action_believes_whom_the_configuration_names_only_if_he_answered_first) {
    need_root(kWhyRoot);
    Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    BOOST_REQUIRE(supervisord.wait_state("web", "RUNNING"));
    open_to_all(std::filesystem::path(supervisord.socket_path()).parent_path());
    Daemon daemon(supervisord.url(),
                  "cat1: {program: web, type: mem, maxMem: 0.1, periodSeconds: 0.2, initialDelaySeconds: 0, "
                  "failureThreshold: 20, action: kill}\n",
                  {.config_lines = "supervisordOwner: 1234"});
    BOOST_TEST_REQUIRE(daemon.wait_for_log("is reached"), daemon.log());
    std::filesystem::remove(supervisord.socket_path());
    const Impostor impostor({.path = supervisord.socket_path()}, kStranger);
    BOOST_TEST(daemon.wait_for_log("refused to kill", 20s), daemon.log());
    const std::string log = daemon.log();
    const auto refused = log.find("refused to kill");
    BOOST_REQUIRE(refused != std::string::npos);
    const std::string line = log.substr(refused, log.find('\n', refused) - refused);
    BOOST_TEST(has(line, "uid 1234 listens there, and it was root when"), line);
}

BOOST_AUTO_TEST_CASE(a_table_kills_nobody_who_is_not_below_supervisord) {
    need_root(kWhyRoot);
    Subprocess victim({"/bin/sleep", "1000"});
    const TempDir dir;
    open_to_all(dir.path());
    const Impostor impostor({.path = dir.file("s")}, kStranger, victim.pid());
    Daemon daemon("unix://" + dir.file("s"),
                  "cat1: {program: web, type: mem, maxMem: 0.1, periodSeconds: 0.2, initialDelaySeconds: 0, "
                  "failureThreshold: 1, action: kill}\n",
                  {.config_lines = "supervisordOwner: 1234"});
    BOOST_TEST(daemon.wait_for_log("refused to kill pid " + std::to_string(victim.pid()) + ": its parent"),
               daemon.log());
    BOOST_TEST(victim.running());
}

// As supervisord does without -n: the process that called listen(2) is gone.
BOOST_AUTO_TEST_CASE(a_supervisord_that_made_itself_a_daemon_is_known_by_the_socket_it_holds) {
    const TempDir dir;
    const std::string path = dir.file("s");
    const pid_t daemon = listen_as_daemon(dir, path);
    const master::OwnerRule rule{::geteuid(), {}, {}};
    const auto known = master::check_supervisor(daemon, path, rule);
    BOOST_TEST(static_cast<bool>(known), (known ? "" : known.error().text()));
    const auto other = master::check_supervisor(::getpid(), path, rule);
    BOOST_REQUIRE(!other);
    BOOST_TEST(has(other.error().text(), "is not the supervisord that listens at"), other.error().text());
    send_signal(daemon, SIGKILL);
    BOOST_TEST(wait_until([&] { return !alive(daemon); }));
    const auto nobody = master::check_supervisor(daemon, path, rule);
    BOOST_TEST(!nobody);
}

BOOST_AUTO_TEST_CASE(what_a_supervisord_has_open_that_cannot_be_seen_is_not_said_to_be_another) {
    need_root(kWhyRoot);
    const TempDir dir;
    const std::string path = dir.file("s");
    const pid_t daemon = listen_as_daemon(dir, path);
    Subprocess looks(
        [&]() -> int {
            if (!drop_capability(CAP_SYS_PTRACE))
                return 1;
            const auto known = master::check_supervisor(daemon, path, {0, {}, {}});
            dir.write("said", known ? "known" : known.error().text());
            return 0;
        },
        Subprocess::Options{});
    BOOST_REQUIRE(looks.wait(5s) == 0);
    send_signal(daemon, SIGKILL);
    const std::string said = read_file(dir.file("said"));
    BOOST_TEST(said.starts_with("it cannot be seen whether its parent, pid " + std::to_string(daemon)), said);
    BOOST_TEST(has(said, "Permission denied"), said);
    BOOST_TEST(has(said, "CAP_SYS_PTRACE"), said);
}

BOOST_AUTO_TEST_CASE(whoever_answered_first_narrows_the_rule_and_does_not_widen_it) {
    // As a link that is taken over says it, or as it was before supervisordOwner was taken out.
    const master::OwnerRule told{0, {}, 4321};
    BOOST_TEST(!told.believes(4321));
    BOOST_TEST(!told.believes(0));
    BOOST_TEST(has(told.refusal(4321), "config.supervisordOwner: 4321"), told.refusal(4321));
    BOOST_TEST(has(told.refusal(0), "it was uid 4321 when"), told.refusal(0));
    const master::OwnerRule named{0, kStranger, kStranger};
    BOOST_TEST(named.believes(kStranger));
    BOOST_TEST(!named.believes(0));
    BOOST_TEST(!named.believes(4321));
    BOOST_TEST(has(named.refusal(4321), "4321 and start healthcheckd again"), named.refusal(4321));
    const master::OwnerRule nobody_yet{7, kStranger, {}};
    for (const uid_t uid : {uid_t(0), uid_t(7), kStranger})
        BOOST_TEST(nobody_yet.believes(uid));
    BOOST_TEST(!nobody_yet.believes(4321));
}

// As on a kernel without sock_diag.
BOOST_AUTO_TEST_CASE(the_table_of_connections_tells_the_owner_where_sock_diag_does_not) {
    need_root(kWhyRoot);
    for (const bool accepts : {true, false})
        BOOST_TEST_CONTEXT((accepts ? "accepted" : "waiting")) {
            const int port = free_port();
            const Impostor other({.path = {}, .port = port}, kStranger, 1, accepts);
            const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = htons(static_cast<std::uint16_t>(port));
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            BOOST_REQUIRE(
                ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
            sockaddr_in own{};
            socklen_t size = sizeof own;
            ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size);
            const master::TcpOwners table{master::TcpTable()};
            const auto until = std::chrono::steady_clock::now() + (accepts ? 5s : 0s);
            const auto port_here = ntohs(own.sin_port);
            const auto told_port = static_cast<std::uint16_t>(port);
            const auto found = table.other_end({"127.0.0.1", port_here, "127.0.0.1", told_port}, until);
            using Kind = master::TcpOwner::Kind;
            BOOST_TEST((found.kind == (accepts ? Kind::known : Kind::waiting)), found.why);
            BOOST_TEST((!accepts || found.uid == kStranger));
            // Both as an IPv6 socket shows it.
            const auto mapped =
                table.other_end({"::ffff:127.0.0.1", port_here, "::ffff:127.0.0.1", told_port});
            BOOST_TEST((mapped.kind == found.kind));
            const auto none = table.other_end({"127.0.0.1", 1, "127.0.0.1", told_port});
            BOOST_TEST((none.kind == Kind::not_to_say));
        }
}

// Connections that nobody accepts stay in its queue, closed ones too.
BOOST_AUTO_TEST_CASE(a_frozen_supervisord_whose_queue_is_full_is_still_known_by_the_socket_it_holds) {
    need_root(kWhyRoot);
    Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const std::string path = supervisord.socket_path();
    supervisord.signal(SIGSTOP);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    bool full = false;
    for (int i = 0; i < 10'000 && !full; ++i) {
        const UniqueFd one(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        full = ::connect(one.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
               errno == EAGAIN;
    }
    BOOST_TEST_REQUIRE(full);
    const auto begin = std::chrono::steady_clock::now();
    const auto known = master::check_supervisor(supervisord.daemon_pid(), path, {0, {}, {}});
    const auto took = std::chrono::steady_clock::now() - begin;
    BOOST_TEST(static_cast<bool>(known), (known ? "" : known.error().text()));
    BOOST_TEST((took < 500ms * slower()), std::chrono::duration<double>(took).count() << " s");
    BOOST_TEST(!master::check_supervisor(::getpid(), path, {0, {}, {}}));
    supervisord.signal(SIGCONT);
}

BOOST_AUTO_TEST_SUITE_END()
