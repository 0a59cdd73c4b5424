// Whom supervisord's word can have killed, or named to a command: who is below that supervisord, wherever it
// listens.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/skip.h"
#include "t/fixture/supervisord/impostor.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <sys/stat.h>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_supervisord_parent)

namespace {

constexpr uid_t kStranger = 1234;

std::string cat(const std::string& action) {
    return "cat1: {program: web, type: mem, maxMem: 0.1, periodSeconds: 0.2, initialDelaySeconds: 0, "
           "failureThreshold: 1, " +
           action + "}\n";
}

const std::string kKill = "action: kill";
const std::string kExec = "action: exec, execCmd: 'echo \"pid <$HEALTHCHECK_PID>\"'";

// A link that says of a stranger's process that it is program web, at a unix socket and at a port.
struct Liars {
    Subprocess victim{{"/bin/sleep", "1000"}};
    TempDir dir;
    int port = free_port();
    std::optional<Impostor> at_socket, at_port;

    Liars() {
        need_root("needs root, to have somebody else listen");
        BOOST_REQUIRE(::chmod(dir.path().c_str(), 01777) == 0);
        at_socket.emplace(Impostor::Place{.path = dir.file("s")}, kStranger, victim.pid());
        at_port.emplace(Impostor::Place{.path = {}, .port = port}, kStranger, victim.pid());
    }
    std::vector<std::string> urls() const {
        return {"unix://" + dir.file("s"), "http://127.0.0.1:" + std::to_string(port)};
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(nobody_is_killed_who_is_not_below_supervisord) {
    Liars liars;
    for (const std::string& url : liars.urls())
        BOOST_TEST_CONTEXT(url) {
            const Daemon daemon(url, cat(kKill), {.config_lines = "supervisordOwner: 1234"});
            BOOST_TEST(daemon.wait_for_log("refused to kill pid " + std::to_string(liars.victim.pid()) +
                                           ": its parent"),
                       daemon.log());
            BOOST_TEST(liars.victim.running());
        }
}

BOOST_AUTO_TEST_CASE(nobody_is_named_to_a_command_who_is_not_below_supervisord) {
    Liars liars;
    for (const std::string& url : liars.urls())
        BOOST_TEST_CONTEXT(url) {
            const Daemon daemon(url, cat(kExec), {.config_lines = "supervisordOwner: 1234"});
            BOOST_TEST(daemon.wait_for_log("output: pid <>"), daemon.log());
            BOOST_TEST(daemon.wait_for_log(", without HEALTHCHECK_PID: its parent"), daemon.log());
        }
}

BOOST_AUTO_TEST_CASE(a_program_of_supervisord_is_named_to_a_command_and_killed_over_each_kind_of_url) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}}, {.http = true});
    for (const std::string& url : {supervisord.url(), supervisord.http_url()})
        BOOST_TEST_CONTEXT(url) {
            BOOST_TEST_REQUIRE(supervisord.wait_state("web", "RUNNING"));
            const std::string pid = std::to_string(supervisord.pid("web"));
            {
                const Daemon daemon(url, cat(kExec));
                BOOST_TEST(daemon.wait_for_log("output: pid <" + pid + ">"), daemon.log());
            }
            const Daemon daemon(url, cat(kKill));
            BOOST_TEST(daemon.wait_for_log("killed pid " + pid + " (SIGKILL)"), daemon.log());
        }
}

BOOST_AUTO_TEST_CASE(a_supervisord_that_cannot_be_seen_keeps_no_command_waiting) {
    Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000", .tied = false}});
    const Daemon daemon(supervisord.url(), "cat1: {program: web, type: mem, maxMem: 0.1, periodSeconds: 2, "
                                           "initialDelaySeconds: 3, failureThreshold: 1, " +
                                               kExec + "}\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[web] runs with pid"), daemon.log());
    std::filesystem::remove(supervisord.socket_path());
    BOOST_TEST(daemon.wait_for_log("without HEALTHCHECK_PID: supervisord cannot be reached"), daemon.log());
    BOOST_TEST(daemon.count_log("output: pid <>") >= 1U);
}

BOOST_AUTO_TEST_SUITE_END()
