// No processes, no descriptors, no disk: healthcheckd goes on with what it has, and mends when there is more.
#include "common/sandbox/seccomp.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/mail/smtp_sink.h"
#include "t/fixture/skip.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_faults_limits)

namespace {

constexpr uid_t kSomebody = 12345;  // nobody else's processes count against this user's limit

constexpr char kNoSupervisord[] = "unix:///nonexistent/supervisor.sock";
constexpr char kTwoCats[] =
    "one: {program: system, type: mem, maxMem: 100000000, periodSeconds: 0.2, action: email}\n"
    "two: {program: system, type: mem, maxMem: 100000000, periodSeconds: 0.2, action: email}\n";

bool healthy(const nlohmann::json& cat) {
    return cat["state"] == "healthy";
}

// User and system time of a process so far.
std::chrono::duration<double> cpu_time(pid_t pid) {
    const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
    std::istringstream fields(stat.substr(stat.rfind(')') + 1));
    std::string skipped;
    for (int i = 3; i < 14; ++i)
        fields >> skipped;
    double user = 0, system = 0;
    fields >> user >> system;
    return std::chrono::duration<double>((user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

// Sets the soft limit of a running process; as its user, since that needs no privilege.
bool limit(const Daemon& daemon, const std::string& option, uid_t uid = 0) {
    return run_command({"prlimit", "--pid", std::to_string(daemon.pid()), option}, 10s,
                       {.env = {}, .output = {}, .uid = uid})
               .status == 0;
}

std::size_t probes_of(const Daemon& daemon, const std::string& cat) {
    const std::string log = daemon.cat_log(cat);
    return static_cast<std::size_t>(std::count(log.begin(), log.end(), '\n'));
}

// Until the disk is full to the last byte.
void fill(const std::string& path) {
    std::ofstream out(path, std::ios::binary | std::ios::app);
    for (const std::size_t block : {4096, 256, 1})
        while (out << std::string(block, 'x') << std::flush) {
        }
}

}  // namespace

BOOST_AUTO_TEST_CASE(without_processes_to_be_had_the_master_lives_and_tries_again) {
    need_root("needs root, to become a user of its own");
    const Daemon daemon(kNoSupervisord, kTwoCats, {.uid = kSomebody});
    BOOST_TEST_REQUIRE(daemon.wait_for_state("one", healthy));
    const pid_t worker = daemon.child("one [mem system]");
    BOOST_TEST_REQUIRE(worker > 1);
    if (!limit(daemon, "--nproc=1:", kSomebody))
        skip("prlimit is not allowed here");
    // Its limits are those at its start; without it, the next worker needs two processes.
    send_signal(daemon.child("nursery"), SIGKILL);
    send_signal(worker, SIGKILL);
    BOOST_TEST(daemon.wait_for_log("[one system] no worker could be started: fork: Resource temporarily "
                                   "unavailable (RLIMIT_NPROC of the user or pids.max"));
    BOOST_TEST(daemon.wait_for_log("could not be checked: there is no worker"));
    daemon.signal(SIGUSR1);
    BOOST_TEST(daemon.wait_for_log("[state] state.json is not written: no process could be started"));
    const std::size_t probes = probes_of(daemon, "two");
    BOOST_TEST(wait_until([&] { return probes_of(daemon, "two") > probes + 5; }));
    BOOST_TEST_REQUIRE(limit(daemon, "--nproc=1000:", kSomebody));
    BOOST_TEST(wait_until([&] { return daemon.child("one [mem system]") > 1; }));
    BOOST_TEST(daemon.wait_for_state("one", healthy));
}

BOOST_AUTO_TEST_CASE(a_notice_for_which_there_is_no_process_waits_for_one) {
    need_root("needs root, to become a user of its own");
    const SmtpSink sink({.tls = SmtpSink::Tls::none, .user = "", .password = ""});
    const Daemon daemon(kNoSupervisord,
                        "one: {program: system, type: mem, maxMem: 0.1, periodSeconds: 0.2, "
                        "initialDelaySeconds: 3, failureThreshold: 1, action: email}\n",
                        {.config_lines = "mail: {host: localhost, tls: none, user: a@test.local, to_list: "
                                         "[b@test.local], port: " +
                                         std::to_string(sink.port()) + "}",
                         .uid = kSomebody});
    BOOST_TEST_REQUIRE(wait_until([&] { return daemon.child("one [mem system]") > 1; }));
    if (!limit(daemon, "--nproc=1:", kSomebody))
        skip("prlimit is not allowed here");
    BOOST_TEST(daemon.wait_for_log("[notices] wait, no process could be started: fork: "));
    BOOST_TEST_REQUIRE(limit(daemon, "--nproc=1000:", kSomebody));
    BOOST_TEST(sink.wait_for_mails(1, 20s));
}

BOOST_AUTO_TEST_CASE(without_descriptors_to_be_had_the_master_idles_and_recovers) {
    // IsAccessibleMemoryRange() of compiler-rt makes a pipe, and takes all memory for bad when it gets none.
    if (healthcheckd::kSanitized)
        skip("a build with UndefinedBehaviorSanitizer, which needs descriptors to look at an object's type");
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const Daemon daemon(supervisord.url(), std::string(kTwoCats) +
                                               "web: {program: web, type: mem, periodSeconds: 0.2, action: "
                                               "exec, maxMem: 0.1, execCmd: 'echo ran'}\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_state("one", healthy));
    BOOST_TEST_REQUIRE(daemon.wait_for_log("[web web] output: ran"));
    const pid_t worker = daemon.child("one [mem system]");
    BOOST_TEST_REQUIRE(worker > 1);
    // Below what it has open: nothing new can be had.
    if (!limit(daemon, "--nofile=4:"))
        skip("prlimit is not allowed here");
    send_signal(worker, SIGKILL);
    BOOST_TEST(daemon.wait_for_log("[one system] no worker could be started: "));
    BOOST_TEST(daemon.wait_for_log("exec failed: no process could be started"));
    const auto used = cpu_time(daemon.pid());
    const auto begin = std::chrono::steady_clock::now();
    const std::size_t probes = probes_of(daemon, "two");
    BOOST_TEST(wait_until([&] { return probes_of(daemon, "two") >= probes + 10; }));  // 2 s
    // A master that tries again and again would take all of the time.
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    BOOST_TEST((cpu_time(daemon.pid()) - used).count() < (slower() > 1 ? 0.5 : 0.2) * elapsed.count());
    BOOST_TEST_REQUIRE(limit(daemon, "--nofile=1024:"));
    BOOST_TEST(wait_until([&] { return daemon.child("one [mem system]") > 1; }));
    BOOST_TEST(daemon.wait_for_state("one", healthy));
    const std::size_t runs = daemon.count_log("[web web] output: ran");
    BOOST_TEST(daemon.wait_for_log("[web web] output: ran", 20s, runs + 1));
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_said_stops_nothing_and_never_tears_the_state) {
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        skip("needs root and a mount namespace of its own");
    const Daemon daemon(kNoSupervisord, "one: {program: system, type: mem, maxMem: 100000000, periodSeconds: "
                                        "0.1, action: email}\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_state("one", healthy));
    for (const std::string& folder : {daemon.state_dir(), daemon.log_dir()})
        if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=64k,nr_inodes=16") != 0)
            skip("no tmpfs can be mounted here");
    daemon.signal(SIGUSR2);
    BOOST_TEST(daemon.wait_for_log("log files reopened"));
    BOOST_TEST(daemon.state("one")["state"] == "healthy");
    BOOST_TEST(wait_until([&] { return probes_of(daemon, "one") > 2; }));
    const std::string before = read_file(daemon.state_dir() + "/state.json");
    fill(daemon.state_dir() + "/filler");
    fill(daemon.log_dir() + "/filler");

    daemon.signal(SIGUSR1);
    BOOST_TEST(daemon.wait_for_log("[state] state.json is not written: "));
    BOOST_TEST(daemon.log().find("No space left on device") != std::string::npos);
    BOOST_TEST(read_file(daemon.state_dir() + "/state.json") == before);
    const std::size_t runs = daemon.count_log("[state] state.json is not written: ");
    daemon.signal(SIGUSR1);
    BOOST_TEST(daemon.wait_for_log("[state] state.json is not written: ", 10s, runs + 1));
    BOOST_TEST(nlohmann::json::accept(read_file(daemon.state_dir() + "/state.json")));

    BOOST_TEST(daemon.wait_for_log("[one system] the worker's log is not written: write " + daemon.log_dir() +
                                   "/one.log: No space left on device"));
    // Long enough for the log to reach the end of what is left to it, in the middle of a line.
    const auto size = [&] {
        return read_file(daemon.log_dir() + "/one.log").size();
    };
    BOOST_TEST(wait_until([&] { return size() % 4096 == 0; }, 15s));

    std::filesystem::remove(daemon.state_dir() + "/filler");
    std::filesystem::remove(daemon.log_dir() + "/filler");
    const auto probes = nlohmann::json::parse(before)["cats"][0]["probes"].get<int>();
    BOOST_TEST(daemon.wait_for_state("one", [&](const auto& cat) {
        return cat["probes"] > probes + 10 && cat["state"] == "healthy" && cat["worker"]["spawns"] == 1;
    }));
    const std::size_t lines = probes_of(daemon, "one");
    BOOST_TEST(wait_until([&] { return probes_of(daemon, "one") > lines + 2; }));
    // Only one line is a part of one, and none is glued to it.
    std::istringstream log(daemon.cat_log("one"));
    std::size_t parts = 0;
    for (std::string line; std::getline(log, line);) {
        parts += !line.ends_with(')') && line.find("confined") == std::string::npos &&
                 !line.ends_with("lines were lost while this log could not be written");
        BOOST_TEST((line.size() < 25 || line[4] == '-'), line);
        BOOST_TEST(line.find(line.substr(0, 8), 1) == std::string::npos, line);  // the month once
    }
    BOOST_TEST(parts <= 1U);
}

BOOST_AUTO_TEST_CASE(a_state_file_that_is_garbage_is_replaced) {
    const Daemon daemon(kNoSupervisord, kTwoCats);
    for (const std::string& garbage :
         {std::string(), std::string("{\"version\": \"0."), std::string("\0\xff", 2)}) {
        std::ofstream(daemon.state_dir() + "/state.json", std::ios::binary) << garbage;
        std::ofstream(daemon.state_dir() + "/.state.json.new", std::ios::binary) << garbage;
        BOOST_TEST(daemon.state("one")["name"] == "one");
    }
}

BOOST_AUTO_TEST_SUITE_END()
