// uid 0 without some of root's powers, as containers have it: what is missing is said once, and the rest
// works.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/daemon/missing_layers.h"
#include "t/fixture/skip.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <regex>
#include <seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_powers)

namespace {

const std::string kCats =
    "machine: {program: system, type: mem, maxMem: 100000000, periodSeconds: 0.2, "
    "initialDelaySeconds: 0, action: email}\n"
    "web: {program: web, type: mem, maxMem: 0.1, periodSeconds: 0.2, initialDelaySeconds: 0, "
    "failureThreshold: 2, action: restart}\n";

// A cat whose notice no server takes.
const std::string kNoServer =
    "mail: {host: 127.0.0.1, port: 9, tls: none, user: ops@example.org, to_list: [ops@example.org]}";
const std::string kMailed = "web: {program: web, type: mem, maxMem: 0.1, periodSeconds: 0.2, "
                            "initialDelaySeconds: 0, failureThreshold: 2, action: email}\n";

bool mail_waits(const Daemon& daemon) {
    return wait_until([&] { return daemon.state()["mail"]["queued"] == 1; }) &&
           daemon.wait_for_log("[mail] not sent yet");
}

std::vector<std::string> without(const std::string& powers) {
    return {"/usr/bin/setpriv", "--bounding-set", powers, "--inh-caps", "-all", "--ambient-caps", "-all"};
}

bool works(const Daemon& daemon) {
    return daemon.wait_for_state("machine", [](const auto& cat) { return cat["state"] == "healthy"; }) &&
           daemon.wait_for_log("restart done: stopped pid");
}

}  // namespace

BOOST_AUTO_TEST_CASE(without_any_and_without_single_ones_all_that_can_be_done_is) {
    need_root("needs root, to give up its powers");
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    for (const std::string powers :
         {"-all", "-setuid", "-setgid", "-setpcap", "-kill", "-sys_ptrace", "-dac_override"})
        BOOST_TEST_CONTEXT(powers) {
            const Daemon daemon(supervisord.url(), kCats, {.wrapper = without(powers)});
            BOOST_TEST(works(daemon), daemon.log());
            for (const char* trouble :
                 {"Operation not permitted", "the worker ended", "could not be started"})
                BOOST_TEST(daemon.count_log(trouble) == 0U, daemon.log());
            BOOST_TEST(layers_missed_by(daemon.log()) == layers_missing_here(), daemon.log());
            BOOST_TEST(daemon.count_log(" warning without CAP_") == 1U, "said once: " << daemon.log());
        }
}

BOOST_AUTO_TEST_CASE(shared_memory_of_another_users_program_is_measured_with_what_containers_leave_to_root) {
    need_root("needs root, to give up its powers");
    const Supervisord supervisord(
        {{.name = "web", .command = "/bin/sleep 1000", .extra = "user=games", .tied = false}});
    const std::string left =
        "-all,+chown,+dac_override,+fsetid,+fowner,+mknod,+net_raw,+setgid,+setuid,+setfcap,"
        "+setpcap,+net_bind_service,+sys_chroot,+kill,+audit_write";
    for (const std::string type : {"pss", "uss"}) {
        const Daemon daemon(
            supervisord.url(),
            "cat1: {program: web, type: mem, memType: " + type +
                ", maxMem: 1000, periodSeconds: 0.2, initialDelaySeconds: 0, action: email}\n",
            {.wrapper = without(left)});
        BOOST_TEST(daemon.wait_for_state("cat1", [](const auto& cat) { return cat["state"] == "healthy"; }),
                   daemon.log());
        BOOST_TEST(daemon.count_log("without CAP_SYS_PTRACE: ") == 1U, daemon.log());
        BOOST_TEST(daemon.count_log("not available on this system: CAP_SYS_PTRACE") == 0U, daemon.log());
    }
}

BOOST_AUTO_TEST_CASE(a_mail_waits_in_the_spool_whichever_power_root_lacks) {
    need_root("needs root, to give up its powers");
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    for (const std::string powers : {"-all", "-chown", "-dac_override", "-fowner", "-kill", "-setuid",
                                     "-setgid", "-chown,-dac_override"})
        BOOST_TEST_CONTEXT(powers) {
            const Daemon daemon(supervisord.url(), kMailed,
                                {.config_lines = kNoServer, .wrapper = without(powers)});
            BOOST_TEST(mail_waits(daemon), daemon.log());
            BOOST_TEST(daemon.count_log("[mailer] ended") == 0U, daemon.log());
        }
}

BOOST_AUTO_TEST_CASE(a_spool_of_an_earlier_start_with_more_powers_is_named_with_what_to_do) {
    need_root("needs root, to give up its powers");
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const TempDir kept;
    std::filesystem::permissions(kept.path(), std::filesystem::perms(0755));
    {
        Daemon before(supervisord.url(), kMailed,
                      {.config_lines = kNoServer, .state_dir = kept.file("state")});
        BOOST_TEST_REQUIRE(mail_waits(before), before.log());
        before.stop();
    }
    for (const std::string powers : {"-chown", "-dac_override"})
        BOOST_TEST_CONTEXT(powers) {
            const Daemon daemon(
                supervisord.url(), kMailed,
                {.config_lines = kNoServer, .state_dir = kept.file("state"), .wrapper = without(powers)});
            const std::string spool = kept.file("state/spool");
            BOOST_TEST(daemon.wait_for_log(
                           std::regex("the spool cannot be used: open " + spool +
                                      ": Permission denied; it belongs to uid [1-9][0-9]*: chown -R 0 " +
                                      spool + ' ' + kept.file("state/dead") +
                                      ", or let healthcheckd have CAP_CHOWN, CAP_DAC_OVERRIDE")),
                       daemon.log());
        }
}

BOOST_AUTO_TEST_CASE(a_worker_that_hangs_is_replaced_by_a_root_that_may_not_kill_others) {
    need_root("needs root, to give up its powers");
    const Daemon daemon("http://127.0.0.1:1/RPC2", kCats, {.wrapper = without("-kill")});
    BOOST_TEST_REQUIRE(
        daemon.wait_for_state("machine", [](const auto& cat) { return cat["state"] == "healthy"; }),
        daemon.log());
    const pid_t worker = daemon.child("machine [mem system]");
    BOOST_TEST_REQUIRE(worker > 1);
    send_signal(worker, SIGSTOP);
    BOOST_TEST(wait_until([&] { return !alive(worker); }, 30s), daemon.log());
    BOOST_TEST(daemon.wait_for_state("machine",
                                     [&](const auto& cat) {
                                         return cat["state"] == "healthy" && cat["worker"]["pid"] != worker;
                                     }),
               daemon.log());
}

BOOST_AUTO_TEST_CASE(in_a_user_namespace_of_its_own_it_watches_what_it_can) {
    if (run_command({"/usr/bin/unshare", "-Ur", "true"}).status != 0)
        skip("no user namespace can be made here");
    const Daemon daemon("http://127.0.0.1:1/RPC2", kCats, {.wrapper = {"/usr/bin/unshare", "-Ur"}});
    BOOST_TEST(daemon.wait_for_state("machine", [](const auto& cat) { return cat["state"] == "healthy"; }),
               daemon.log());
    BOOST_TEST(daemon.count_log("Operation not permitted") == 0U, daemon.log());
    BOOST_TEST(daemon.count_log("without other users in this user namespace: workers and mailer keep") == 1U,
               daemon.log());
}

BOOST_AUTO_TEST_CASE(where_no_child_can_live_it_ends_and_says_why) {
    const TempDir dir;
    const std::string file = dir.write(
        "c.yaml", "config: {supervisordUrl: 'http://127.0.0.1:1/RPC2', logDir: " + dir.file("l") +
                      ", stateDir: " + dir.file("s") + ", socket: " + dir.file("k") + "}\n" + kCats);
    Subprocess daemon(
        [&]() -> int {
            // As a container's filter might: no child can be tied to its parent.
            scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_ALLOW);
            if (filter == nullptr ||
                ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(prctl), 1,
                                   SCMP_A0(SCMP_CMP_EQ, PR_SET_NO_NEW_PRIVS)) != 0 ||
                ::seccomp_load(filter) != 0)
                return 71;
            ::execl(healthcheckd_binary().c_str(), "healthcheckd", "-c", file.c_str(), nullptr);
            return 72;
        },
        {.env = {}, .output = dir.file("log"), .uid = 0});
    const int status = daemon.wait(20s);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 71)
        skip("no seccomp filter can be loaded here");
    BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 1), daemon.output());
    BOOST_TEST(daemon.output().find(
                   "no check can be made here: a process for it cannot be confined: no_new_privs: ") !=
                   std::string::npos,
               daemon.output());
}

BOOST_AUTO_TEST_SUITE_END()
