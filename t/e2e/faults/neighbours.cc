// What else runs on the machine, and healthcheckd's children, seen from each other: nobody shares a user.
#include "common/sandbox/landlock.h"
#include "common/sandbox/seccomp.h"
#include "t/fixture/basics.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/daemon/missing_layers.h"
#include "t/fixture/mail/smtp_sink.h"
#include "t/fixture/net/web_server.h"
#include "t/fixture/process/hostile_trial.h"
#include "t/fixture/process/memory_scan.h"
#include "t/fixture/skip.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <sys/stat.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_neighbours)

namespace {

constexpr uid_t kNobodysUid = 65'534;

// The line of /proc/PID/status that begins with `key`, without it.
std::string status_of(pid_t pid, const std::string& key) {
    std::istringstream in(read_file("/proc/" + std::to_string(pid) + "/status"));
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(key + ":\t"))
            return line.substr(key.size() + 2);
    return {};
}

bool confined(const ProcessInfo& child) {
    return child.title.find(" [") != std::string::npos || child.title.ends_with(": mailer");
}

// A daemon with a worker of each kind and a mailer that has a mail it cannot get rid of.
struct Site {
    Site() { sink.fail("greeting", "451 later"); }

    SmtpSink sink;
    WebServer server;
    Supervisord supervisord{{.name = "web", .command = "/bin/sleep 1000"}};
    TempDir dir;
    std::string http = ": {program: web, type: http, path: /ok, periodSeconds: 0.3, action: restart, port: " +
                       std::to_string(server.port());
    Daemon daemon{
        supervisord.url(),
        "one" + http + ", host: 127.0.0.1}\ntwo" + http +
            ", host: localhost}\n"
            "mem: {program: web, type: mem, periodSeconds: 0.3, action: restart}\n"
            "found: {program: sleep, type: mem, pidGet: name, periodSeconds: 0.3, action: restart}\n"
            "cpu: {program: system, type: cpu, periodSeconds: 0.3, action: email}\n"
            "restart: {program: web, type: restart, periodSeconds: 0.3, action: restart}\n"
            "tell: {program: web, type: mem, maxMem: 0.1, periodSeconds: 0.3, action: 'exec,email', "
            "execCmd: 'env > " +
            dir.file("env.new") + " && mv " + dir.file("env.new") + " " + dir.file("env") + "'}\n",
        {.env = {{"SITE_TOKEN", "envText-5Ab9"}, {"SITE_LONG", std::string(600, 'x') + "envLong-7Cd1"}},
         .config_lines = "mail: {host: localhost, port: " + std::to_string(sink.port()) +
                         ", user: ops@test.local, to_list: [a@test.local], tls: implicit, caFile: " +
                         sink.ca_file() + "}"}};

    std::vector<ProcessInfo> confined_children() const {
        std::vector<ProcessInfo> all;
        for (const ProcessInfo& child : daemon.children())
            if (confined(child))
                all.push_back(child);
        return all;
    }
    bool is_up() const {
        return wait_until(
            [&] {
                const auto all = confined_children();
                return all.size() == 8 && std::ranges::all_of(all, [](const ProcessInfo& child) {
                           return status_of(child.pid, "NoNewPrivs") == "1";
                       });
            },
            20s);
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(no_two_children_share_a_uid_and_a_program_of_nobody_reaches_none_of_them) {
    need_root("needs root, to become several users");
    const Site site;
    BOOST_TEST_REQUIRE(site.is_up(), site.daemon.log());
    std::set<std::string> uids;
    const auto signalled_by = [](uid_t uid, pid_t pid) {
        return run_command({"/bin/kill", "-0", std::to_string(pid)}, 10s,
                           {.env = {}, .output = {}, .uid = uid})
                   .status == 0;
    };
    for (const ProcessInfo& child : site.confined_children()) {
        const std::string uid = status_of(child.pid, "Uid");
        BOOST_TEST(!uid.starts_with("0\t"), child.title);
        BOOST_TEST(!uid.starts_with("65534\t"), child.title);
        BOOST_TEST(uids.insert(uid).second, child.title << " shares " << uid);
        BOOST_TEST(status_of(child.pid, "Gid") == uid, child.title);
        BOOST_TEST(!signalled_by(kNobodysUid, child.pid), child.title);
    }
    const ProcessInfo worker = site.confined_children().front();
    BOOST_TEST(signalled_by(static_cast<uid_t>(std::stoul(status_of(worker.pid, "Uid"))), worker.pid),
               "what has the same uid can");
    BOOST_TEST(layers_missed_by(site.daemon.log()) == layers_missing_here(), site.daemon.log());
}

BOOST_AUTO_TEST_CASE(a_program_of_nobody_can_neither_read_nor_write_the_spool) {
    need_root("needs root, to become several users");
    const Site site;
    BOOST_TEST_REQUIRE(site.is_up(), site.daemon.log());
    const std::string spool = site.daemon.state_dir() + "/spool";
    BOOST_TEST_REQUIRE(
        wait_until(
            [&] {
                return run_command({"/bin/sh", "-c", "ls " + spool + "/*.message"}).status == 0;
            },
            20s),
        site.daemon.log());
    const auto nobody_does = [&](const std::string& command) {
        return run_command({"/bin/sh", "-c", command}, 10s, {.env = {}, .output = {}, .uid = kNobodysUid})
            .status;
    };
    BOOST_TEST(nobody_does("ls " + site.daemon.state_dir()) == 0);
    for (const char* command : {"ls $D", "cat $D/told.json", "touch $D/1.mail.message",
                                "rm -f $D/told.json && ! ls $D", "flock -n $D true"})
        BOOST_TEST(nobody_does("D=" + spool + "; " + command) != 0, command);
    struct stat folder {};
    BOOST_TEST_REQUIRE(::stat(spool.c_str(), &folder) == 0);
    const pid_t mailer = site.daemon.child("healthcheckd: mailer");
    BOOST_TEST(status_of(mailer, "Uid").starts_with(std::to_string(folder.st_uid) + "\t"));
}

BOOST_AUTO_TEST_CASE(a_spool_of_an_earlier_owner_is_taken_over_with_what_waits_in_it) {
    need_root("needs root, to give files away");
    const SmtpSink sink;
    const TempDir state;
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const auto options = [&](int port) {
        return DaemonOptions{.config_lines = "mail: {host: localhost, port: " + std::to_string(port) +
                                             ", user: ops@test.local, pass: " + sink.options().password +
                                             ", to_list: [a@test.local], tls: implicit, "
                                             "digestSeconds: 0, caFile: " +
                                             sink.ca_file() + "}",
                             .state_dir = state.path()};
    };
    const std::string cats =
        "cat1: {program: web, type: mem, maxMem: 0.1, periodSeconds: 0.3, action: email}\n";
    {
        Daemon first(supervisord.url(), cats, options(free_port()));
        BOOST_TEST_REQUIRE(wait_until(
                               [&] {
                                   return run_command(
                                              {"/bin/sh", "-c", "ls " + state.file("spool") + "/*.message"})
                                              .status == 0;
                               },
                               20s),
                           first.log());
        (void)first.stop();
    }
    BOOST_TEST_REQUIRE(
        run_command({"/bin/chown", "-R", "65534:65534", state.file("spool"), state.file("dead")}).status ==
        0);
    const Daemon second(supervisord.url(), cats, options(sink.port()));
    BOOST_TEST(wait_until([&] { return !sink.mail_files().empty(); }, 60s), second.log());
}

BOOST_AUTO_TEST_CASE(the_environment_is_in_commands_and_in_no_confined_process) {
    need_root("needs root, to read the memory of others");
    if (healthcheckd::kSanitized)
        skip("a build with AddressSanitizer, whose runtime keeps the whole of /proc/self/environ");
    const Site site;
    BOOST_TEST_REQUIRE(site.is_up(), site.daemon.log());
    BOOST_TEST(wait_until(
        [&] {
            return read_file(site.dir.file("env")).find("SITE_TOKEN=envText-5Ab9\n") != std::string::npos;
        },
        20s));
    // What the daemon sets while it executes itself anew.
    for (const char* own : {"LD_BIND_NOW=", "HEALTHCHECKD_AGAIN="})
        BOOST_TEST(read_file(site.dir.file("env")).find(own) == std::string::npos, own);
    const std::vector<std::string> tokens{"envText-5Ab9", "envLong-7Cd1"};
    std::size_t scanned = 0;
    for (const ProcessInfo& child : site.daemon.children()) {
        if (!confined(child) && child.title.find("supervisord link") == std::string::npos)
            continue;
        ++scanned;
        BOOST_TEST(texts_in_memory(child.pid, tokens).empty(), child.title);
    }
    BOOST_TEST(scanned >= 9U);
    BOOST_TEST(texts_in_memory(site.daemon.pid(), tokens).size() == 2U, "the scan is blind");
}

BOOST_AUTO_TEST_CASE(libraries_of_the_network_are_only_in_the_processes_that_use_them) {
    need_root("needs root, to read the memory of others");
    const Site site;
    BOOST_TEST_REQUIRE(site.is_up(), site.daemon.log());
    for (const ProcessInfo& child : site.confined_children()) {
        const std::string maps = read_file("/proc/" + std::to_string(child.pid) + "/maps");
        BOOST_TEST(maps.find("/libc.so.6") != std::string::npos, child.title);
        const bool uses = child.title.find("mailer") != std::string::npos;
        for (const char* library : {"/libcurl.so", "/libssl.so", "/libcrypto.so"})
            BOOST_TEST((maps.find(library) != std::string::npos) == uses, child.title << ": " << library);
    }
}

BOOST_AUTO_TEST_CASE(limits_of_tasks_and_files_hold_in_each_child) {
    need_root("needs root: limits go by the uid");
    if (!seccomp_available())
        skip("a build with AddressSanitizer");
    const Site site;
    BOOST_TEST_REQUIRE(site.is_up(), site.daemon.log());
    const auto limit = [](pid_t pid, const std::string& name) {
        const std::string all = read_file("/proc/" + std::to_string(pid) + "/limits");
        std::istringstream line(all.substr(std::min(all.find(name), all.size() - 1) + name.size()));
        std::string soft;
        line >> soft;
        return soft;
    };
    for (const ProcessInfo& child : site.confined_children()) {
        const bool mailer = child.title.ends_with(": mailer");
        BOOST_TEST(limit(child.pid, "Max processes") == (mailer ? "1024" : "1"), child.title);
        if (mailer)
            BOOST_TEST(limit(child.pid, "Max file size") == "8000000");
    }
}

BOOST_AUTO_TEST_SUITE_END()
