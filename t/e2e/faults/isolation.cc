// What healthcheckd keeps apart: its master from everything that waits, and every password from all processes
// but the one that uses it.
#include "common/sandbox/seccomp.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/smtp_sink.h"
#include "t/fixture/net/web_server.h"
#include "t/fixture/process/memory_scan.h"
#include "t/fixture/skip.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <sstream>
#include <unistd.h>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_isolation)

namespace {

bool traced_by(pid_t pid, pid_t tracer) {
    return read_file("/proc/" + std::to_string(pid) + "/status")
               .find("TracerPid:\t" + std::to_string(tracer) + "\n") != std::string::npos;
}

// AddressSanitizer keeps what was freed for a while, and takes and returns memory at moments of its own.
bool of_the_sanitizers_allocator(const std::string& line) {
    return healthcheckd::kSanitized &&
           ((line.starts_with("mmap(") && line.find("MAP_ANONYMOUS") != std::string::npos) ||
            line.starts_with("munmap(") || line.starts_with("madvise("));
}

// How often each system call stands in a trace of strace(1) of one process.
std::map<std::string, int> calls_in(const std::string& trace) {
    std::map<std::string, int> calls;
    std::istringstream in(trace);
    for (std::string line; std::getline(in, line);) {
        const std::size_t end = line.find('(');
        if (line.starts_with("<... ") || line.starts_with("---") || end == std::string::npos ||
            of_the_sanitizers_allocator(line))
            continue;
        ++calls[line.substr(0, end)];
    }
    return calls;
}

std::string base64(const std::string& text) {
    return run_command({"/bin/sh", "-c", "printf %s \"$TEXT\" | openssl base64 -A"}, 20s,
                       {.env = {{"TEXT", text}}, .output = {}, .uid = 0})
        .output;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_masters_steady_state_is_epoll_read_and_write) {
    const WebServer server;
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Daemon daemon(supervisord.url(),
                  "http: {program: web, type: http, host: 127.0.0.1, path: /ok, periodSeconds: 0.5, action: "
                  "restart, port: " +
                      std::to_string(server.port()) +
                      "}\nmem: {program: web, type: mem, periodSeconds: 0.5, action: restart}\n");
    const auto healthy = [](const auto& state) {
        return state["state"] == "healthy";
    };
    BOOST_TEST_REQUIRE(daemon.wait_for_state("http", healthy));
    BOOST_TEST_REQUIRE(daemon.wait_for_state("mem", healthy));
    // The state's child is gone; its end is not part of the steady state.
    BOOST_TEST_REQUIRE(wait_until([&] { return daemon.child("healthcheckd: state") == 0; }));

    const TempDir dir;
    Subprocess strace({"strace", "-p", std::to_string(daemon.pid()), "-o", dir.file("trace")},
                      {.env = {}, .output = dir.file("strace.log"), .uid = 0});
    if (!wait_until([&] { return traced_by(daemon.pid(), strace.pid()) || !strace.running(); }) ||
        !strace.running())
        skip("strace cannot attach here: " + strace.output());
    // As long as the promise says, and not until something happens: what must not happen is looked for.
    (void)stays([&] { return strace.running(); }, 5s);
    strace.signal(SIGINT);
    BOOST_TEST(strace.wait(5s) != -1);

    const auto calls = calls_in(read_file(dir.file("trace")));
    const std::set<std::string> allowed{"epoll_wait", "epoll_pwait", "read",           "write",
                                        "sendmsg",    "recvmsg",     "restart_syscall"};
    for (const auto& [name, count] : calls)
        BOOST_TEST(allowed.contains(name), count << " calls of " << name);
    // 10 probes of each of two cats, less what falls over the edges.
    const auto count = [&](const char* name) {
        return calls.contains(name) ? calls.at(name) : 0;
    };
    BOOST_TEST(count("sendmsg") >= 16);
    BOOST_TEST(count("sendmsg") <= 24);
    BOOST_TEST(count("read") >= 16);
    BOOST_TEST(count("epoll_wait") + count("epoll_pwait") >= 16);
}

BOOST_AUTO_TEST_CASE(each_password_is_in_the_memory_of_the_process_that_uses_it_and_in_no_other) {
    need_root("needs root, to read the memory of others");
    const std::string kLink = "linkPass-7Qz1", kMail = "mailPass-8Wx2", kOne = "onePass-9Ev3",
                      kTwo = "twoPass-1Rt4", kToken = "tokenText-2Yu5", kCommand = "commandText-3Io6";
    // The sink is told a password of its own: a worker that searches processes by name reads all command
    // lines.
    SmtpSink sink;
    sink.fail("greeting", "hang");
    const WebServer server;
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}},
                                  {.user = "sup", .pass = kLink});
    const std::string http = ": {program: web, type: http, host: 127.0.0.1, path: /ok, periodSeconds: 0.3, "
                             "action: restart, port: " +
                             std::to_string(server.port());
    const TempDir dir;
    Daemon daemon(
        supervisord.url(),
        "one" + http + ", username: u1, password: " + kOne + "}\ntwo" + http +
            ", username: u2, password: " + kTwo + ", headers: {X-Token: " + kToken + "}}\n" +
            "mem: {program: web, type: mem, periodSeconds: 0.3, action: restart}\n"
            "found: {program: '" +
            kOne.substr(0, 4) +
            "x', type: mem, pidGet: name, periodSeconds: 0.3, "
            "action: kill}\n"
            "cpu: {program: system, type: cpu, periodSeconds: 0.3, action: email}\n"
            "restart: {program: web, type: restart, periodSeconds: 0.3, action: restart}\n"
            "tell: {program: any, type: mem, pidGet: file, pidFile: " +
            dir.write("t.pid", std::to_string(supervisord.pid("web"))) +
            ", maxMem: 0.1, periodSeconds: 0.3, action: 'exec,email', execCmd: 'env > " +
            dir.file("env.new") + " && mv " + dir.file("env.new") + " " + dir.file("env") +
            "'}\n"
            "long: {program: web, type: mem, maxMem: 0.1, periodSeconds: 0.3, action: exec, execCmd: 'env "
            "> " +
            dir.file("env2") + "; : " + kCommand + "; exec sleep 1000'}\n",
        {.arguments = {"-v"},
         .config_lines = "supervisordUser: sup\nsupervisordPass: " + kLink +
                         "\nmail: {host: localhost, port: " + std::to_string(sink.port()) +
                         ", user: ops@test.local, pass: " + kMail +
                         ", to_list: [a@test.local], tls: implicit, caFile: " + sink.ca_file() + "}"});
    const auto probed = [](const auto& state) {
        return state["probes"] >= 2;
    };
    for (const char* cat : {"one", "two", "mem", "found", "cpu", "restart"})
        BOOST_TEST_REQUIRE(daemon.wait_for_state(cat, probed), cat);
    BOOST_TEST_REQUIRE(wait_until([&] {
        return daemon.child("healthcheckd: mailer") != 0 && !read_file(dir.file("env")).empty() &&
               !read_file(dir.file("env2")).empty() && server.requests().size() > 4;
    }));

    // The texts, and what basic authentication makes of them.
    struct Owned {
        std::string text;
        std::string owner;  // part of the title of the one process that may hold it
    };
    const std::vector<Owned> owned = {{kLink, "supervisord link"},
                                      {kMail, "mailer"},
                                      {kOne, "one [http"},
                                      {kTwo, "two [http"},
                                      {kToken, "two [http"},
                                      {kCommand, "action long"},
                                      {base64("sup:" + kLink), "supervisord link"},
                                      {base64("u1:" + kOne), "one [http"},
                                      {base64("u2:" + kTwo), "two [http"}};
    std::vector<std::string> needles;
    for (const Owned& one : owned)
        needles.push_back(one.text);
    std::map<std::string, int> seen;  // the scan finds what is there
    std::size_t scanned = 0;
    for (const ProcessInfo& child : daemon.children()) {
        std::vector<std::string> texts;
        try {
            texts = texts_in_memory(child.pid, needles);
        } catch (const std::exception&) {
            BOOST_TEST(!alive(child.pid), child.title << " could not be read");
            continue;
        }
        ++scanned;
        // A child that had only just been forked when it was listed still had the master's title then.
        const std::string title = process_info(child.pid).value_or(child).title;
        for (const std::string& text : texts) {
            ++seen[text];
            // ps(1) shows the command of a shell to whoever searches processes by name, and the sanitizer
            // keeps what was read.
            if (healthcheckd::kSanitized && text == kCommand && title.starts_with("healthcheckd: found"))
                continue;
            for (const Owned& one : owned)
                BOOST_TEST((one.text != text || title.find(one.owner) != std::string::npos),
                           title << " holds " << text);
        }
    }
    // Link, 8 workers, mailer, and an action with its command.
    BOOST_TEST(scanned >= 12U);
    for (const std::string& text : {kLink, kMail, kOne, kTwo, kToken, kCommand})
        BOOST_TEST(seen[text] >= 1, text << " was found nowhere: the scan is blind");

    (void)daemon.state();
    const std::string dump = run_command({healthcheckd_binary(), "-T", "-c", daemon.config_file()}).output;
    BOOST_TEST(dump.find("********") != std::string::npos);
    std::map<std::string, std::string> outputs = {
        {"the log", daemon.log()},
        {"-T", dump},
        {"env of a command", read_file(dir.file("env"))},
        {"env of another command", read_file(dir.file("env2"))},
        {"state.json", read_file(daemon.state_dir() + "/state.json")}};
    for (const char* cat : {"one", "two", "mem", "found", "cpu", "restart", "tell", "long"})
        outputs[std::string("log of ") + cat] = daemon.cat_log(cat);
    for (const auto& [name, text] : outputs) {
        BOOST_TEST(!text.empty(), name << " is empty");
        for (const std::string& needle : needles)
            if (name != "-T" || needle != kCommand)  // -T shows what is done
                BOOST_TEST(text.find(needle) == std::string::npos, name << " holds " << needle);
    }
}

BOOST_AUTO_TEST_SUITE_END()
