// Every check type and every action once more: with the sandbox that only tells, and for a user who is not
// root.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/smtp_sink.h"
#include "t/fixture/skip.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_surroundings)

namespace {

struct Surroundings {
    std::string config_lines;
    uid_t uid = 0;  // of healthcheckd and of what it watches
};

constexpr uid_t kSomebody = 12346;

// The command of a supervised program for the user of these surroundings.
SupervisedProgram watched(const Surroundings& around, const std::string& name, const std::string& command,
                          const std::string& extra = {}) {
    if (around.uid == 0)
        return {.name = name, .command = command, .extra = extra};
    const std::string uid = std::to_string(around.uid);
    return {.name = name,
            .command = "/usr/bin/setpriv --reuid " + uid + " --regid " + uid +
                       " --clear-groups --pdeathsig KILL -- " + command,
            .extra = extra,
            .tied = false};
}

std::string port_text(int port) {
    return std::to_string(port);
}

// One representative of each check type, of each way to find a process, and of each action.
void everything_works(const Surroundings& around) {
    const TempDir dir;
    const SmtpSink sink;
    const std::string web_folder = dir.file("web");
    std::filesystem::create_directory(web_folder);
    BOOST_TEST_REQUIRE(::chmod(web_folder.c_str(), 0777) == 0);
    const int web = free_port();
    const int open = free_port();
    const std::string python = "/usr/bin/python3 " + (source_dir() / "t/fixture/net/web.py").string();
    const Supervisord supervisord(
        {watched(around, "leak", program("leak.py") + " 10 0.1 200"),
         watched(around, "spin", program("spin.py")),
         watched(around, "crash", program("crash.sh") + " 0.3", "autorestart=true"),
         watched(around, "quiet", "/bin/sleep 1000"),
         watched(around, "web", python + " " + web_folder + " 127.0.0.1 " + port_text(web)),
         watched(around, "open", program("listen.py") + " 127.0.0.1 " + port_text(open))},
        {.socket_mode = "0777"});
    const std::string name = "hcdsur" + std::to_string(::getpid());
    const Subprocess::Options as_user{.env = {}, .output = {}, .uid = around.uid};
    Subprocess by_name({dir.write(name, "#!/bin/sh\nwhile :; do sleep 0.2; done\n", 0755)}, as_user);
    Subprocess by_file({program("spin.py"), "30"}, as_user);
    const std::string pid_file = dir.write("t.pid", std::to_string(by_file.pid()));
    if (around.uid != 0)
        BOOST_TEST_REQUIRE(::chown(pid_file.c_str(), around.uid, around.uid) == 0);

    const std::string exec = ", periodSeconds: 0.3, action: exec, execCmd: 'echo ran as $(id -u)'}\n";
    Daemon daemon(
        supervisord.url(),
        "leak: {program: leak, type: mem, maxMem: 60, periodSeconds: 0.3, action: restart}\n"
        "spin: {program: spin, type: cpu, maxCpu: 5, periodSeconds: 0.5, action: restart}\n"
        "pss: {program: quiet, type: mem, memType: pss, maxMem: 1000, periodSeconds: 0.3, action: restart}\n"
        "uss: {program: quiet, type: mem, memType: uss, maxMem: 1000, periodSeconds: 0.3, action: restart}\n"
        "crash: {program: crash, type: restart" +
            exec + "named: {program: " + name +
            ", type: mem, maxMem: 0.1, pidGet: name, periodSeconds: 0.3, action: kill}\n"
            "filed: {program: any, type: cpu, maxCpu: 1, pidGet: file, pidFile: " +
            pid_file +
            ", periodSeconds: 0.3, failureThreshold: 1, action: kill}\n"
            "fail: {program: web, type: http, host: 127.0.0.1, path: /status/500, port: " +
            port_text(web) + exec +
            "good: {program: web, type: http, host: localhost, path: /ok, port: " + port_text(web) + exec +
            "open: {program: open, type: tcp, host: localhost, port: " + port_text(open) + exec +
            "shut: {program: open, type: tcp, host: 127.0.0.1, periodSeconds: 0.3, action: email, port: " +
            port_text(free_port()) +
            "}\n"
            "mem: {program: system, type: mem, maxMem: 1" +
            exec + "cpu: {program: system, type: cpu, maxCpu: 101, periodSeconds: 0.3, action: email}\n",
        {.config_lines = around.config_lines + "\nmail: {host: localhost, port: " + port_text(sink.port()) +
                         ", user: " + sink.options().user + ", pass: '" + sink.options().password +
                         "', to_list: [ops@test.local], tls: implicit, caFile: " + sink.ca_file() + "}",
         .uid = around.uid});

    for (const char* done : {"[leak leak] restart done", "[spin spin] restart done", "[named ", "[filed "})
        BOOST_TEST(daemon.wait_for_log(done, 40s), done);
    const std::string ran = "output: ran as " + std::to_string(around.uid);
    for (const char* cat : {"[crash crash] ", "[fail web] ", "[mem system] "})
        BOOST_TEST(daemon.wait_for_log(cat + ran, 40s), cat);
    BOOST_TEST(WTERMSIG(by_name.wait(30s)) == SIGKILL);
    BOOST_TEST(WTERMSIG(by_file.wait(30s)) == SIGKILL);
    BOOST_TEST(sink.wait_for_mails(1, 30s));
    for (const char* cat : {"pss", "uss", "good", "open", "cpu"})
        BOOST_TEST(daemon.wait_for_state(cat, [](const auto& state) { return state["state"] == "healthy"; }),
                   cat);
    const auto stopped = daemon.stop();
    BOOST_TEST(stopped.status == 0);
    BOOST_TEST(daemon.count_log("violation") == 0U);
    // A slow machine may not let a worker look at all processes in 5 s, while these programs use all of its time.
    const std::size_t late = slower() > 1 ? daemon.count_log("was lost: it did not answer in time") : 0;
    BOOST_TEST(daemon.count_log("was lost") == late, daemon.log());
}

}  // namespace

BOOST_AUTO_TEST_CASE(with_a_sandbox_that_only_tells_nothing_has_to_be_told) {
    everything_works({.config_lines = "sandbox: log"});
}

BOOST_AUTO_TEST_CASE(everything_works_with_a_strict_sandbox) {
    everything_works({.config_lines = "sandbox: strict"});
}

BOOST_AUTO_TEST_CASE(everything_works_for_a_user_who_is_not_root) {
    need_root("needs root, to become somebody else");
    everything_works({.config_lines = "sandbox: log", .uid = kSomebody});
}

BOOST_AUTO_TEST_SUITE_END()
