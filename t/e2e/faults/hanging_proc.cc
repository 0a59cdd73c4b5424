// Programs that hang in execve(2) or in a page fault, so that looking at them in /proc hangs: what it costs
// their own cats, and that it costs nobody else anything.
#include "t/fixture/daemon/control_stub.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/process/hanging_file.h"
#include "t/fixture/skip.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <sys/utsname.h>
#include <thread>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_hanging_proc)

namespace {

constexpr char kGood[] = "good: {program: system, type: mem, maxMem: 100000000, periodSeconds: 0.2, "
                         "initialDelaySeconds: 0, action: email}\n";

std::string exec_again(const HangingFile& file, const std::string& seconds) {
    return program("exec_again.py") + " " + file.path() + " " + seconds;
}

std::string fault_and_map(const HangingFile& file, const std::string& seconds) {
    return program("fault_and_map.py") + " " + file.path() + " " + seconds;
}

// Whether a process that hangs in execve(2) hides its smaps_rollup on this kernel for certain (DESIGN.md).
bool hangs_in_execve() {
    utsname kernel{};
    BOOST_TEST_REQUIRE(::uname(&kernel) == 0);
    const std::string release = kernel.release;
    return release.starts_with("5.10.") || release.starts_with("6.1.") || release.starts_with("6.18.");
}

bool healthy(const nlohmann::json& cat) {
    return cat["state"] == "healthy";
}

int probes(const Daemon& daemon, const std::string& cat) {
    return daemon.state(cat)["probes"].get<int>();
}

// healthcheckctl is answered within a second.
void answers_at_once(const Daemon& daemon) {
    const auto began = std::chrono::steady_clock::now();
    const auto status = healthcheckctl(daemon.socket(), {"status"});
    BOOST_TEST(status.output.find("good") != std::string::npos, status.output);
    BOOST_TEST((std::chrono::steady_clock::now() - began < 1s * slower()));
}

// 3 s in which the good cat is probed 15 times by its period.
void goes_on(const Daemon& daemon) {
    const int before = probes(daemon, "good");
    std::this_thread::sleep_for(3s);
    BOOST_TEST(probes(daemon, "good") - before >= 12);
    answers_at_once(daemon);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_program_that_hangs_costs_its_own_check_alone_and_is_watched_again_afterwards) {
    struct Row {
        HangingFile::Hang hang;
        std::string (*command)(const HangingFile& file, const std::string& seconds);
        const char* keys;
    };
    using enum HangingFile::Hang;
    for (const Row& row :
         {Row{closing, exec_again, "type: mem, memType: pss"},
          Row{closing, exec_again, "type: mem, memType: rss"}, Row{closing, exec_again, "type: cpu"},
          Row{reading, fault_and_map, "type: mem, memType: pss"}}) {
        BOOST_TEST_CONTEXT((row.hang == closing ? "execve " : "page fault ") << row.keys) {
            const HangingFile file(row.hang);
            const Supervisord supervisord({{.name = "web", .command = row.command(file, "4")}});
            Daemon daemon(supervisord.url(), std::string(kGood) +
                                                 "hung: {program: web, periodSeconds: 0.5, "
                                                 "initialDelaySeconds: 0, maxMem: 5000, maxCpu: 400, "
                                                 "failureThreshold: 2, action: restart, " +
                                                 row.keys + "}\n");
            BOOST_TEST_REQUIRE(daemon.wait_for_state("hung", healthy));
            const pid_t pid = supervisord.pid("web");
            BOOST_TEST_REQUIRE(file.wait_until_it_hangs());
            goes_on(daemon);
            if (row.hang == reading)
                BOOST_TEST(daemon.wait_for_state(
                    "hung",
                    [&](const auto& cat) {
                        return cat["state"] == "unknown" &&
                               has(cat["lastProbe"]["message"],
                                   "reading /proc/" + std::to_string(pid) + "/smaps_rollup seems to hang");
                    },
                    20s));
            file.release();
            const int before = probes(daemon, "hung");
            BOOST_TEST(daemon.wait_for_state(
                "hung", [&](const auto& cat) { return cat["probes"] > before + 2 && healthy(cat); }, 90s));
            BOOST_TEST(supervisord.pid("web") == pid);
            BOOST_TEST(daemon.count_log("restart begins") == 0U);
            BOOST_TEST(daemon.stop().took.count() < 3000 * slower());
        }
    }
}

BOOST_AUTO_TEST_CASE(programs_that_hang_before_healthcheckd_starts_keep_no_other_from_being_watched) {
    const HangingFile file;
    const Supervisord supervisord({{.name = "hanging", .command = exec_again(file, "0")},
                                   {.name = "other", .command = exec_again(file, "0")},
                                   {.name = "web", .command = "/bin/sleep 1000"}});
    BOOST_TEST_REQUIRE(file.wait_until_it_hangs());
    const std::string fast =
        ", periodSeconds: 0.5, initialDelaySeconds: 0, failureThreshold: 2, action: kill}\n";
    Daemon daemon(supervisord.url(), kGood + ("web: {program: web, type: mem, maxMem: 5000" + fast) +
                                         "hung: {program: hanging, type: mem, maxMem: 0.1" + fast);
    BOOST_TEST(daemon.wait_for_state("good", healthy, 3s));
    BOOST_TEST(daemon.wait_for_state("web", healthy, 6s));
    goes_on(daemon);
    if (hangs_in_execve())
        BOOST_TEST(daemon.state("hung")["failures"] == 0, daemon.state("hung").dump());
    const auto began = std::chrono::steady_clock::now();
    BOOST_TEST(daemon.stop().status == 0);
    BOOST_TEST((std::chrono::steady_clock::now() - began < 3s * slower()));
}

namespace {

// Whether others can read the file of a process in /proc.
bool readable(pid_t pid, const std::string& name) {
    Subprocess reader({"/bin/cat", "/proc/" + std::to_string(pid) + "/" + name});
    return reader.wait(1s * slower()) == 0;
}

void costs_one_child_and_says_why(const HangingFile& file, pid_t hanging, bool worker_hangs) {
    const TempDir dir;
    const std::string pid = std::to_string(hanging);
    const std::string pid_file = dir.write("t.pid", pid);
    const Daemon daemon("unix:///nonexistent/supervisor.sock",
                        std::string(kGood) +
                            "named: {program: web, pidGet: file, type: mem, memType: pss, maxMem: 0.1, "
                            "periodSeconds: 0.5, initialDelaySeconds: 0, failureThreshold: 1, action: kill, "
                            "pidFile: " +
                            pid_file + "}\n");
    BOOST_TEST(daemon.wait_for_log(worker_hangs
                                       ? "looking at process " + pid + " in /proc seems to hang"
                                       : "the process reader is replaced: it hangs at process " + pid,
                                   30s));
    const auto says_why = [&](const std::string& message) {
        return worker_hangs
                   ? has(message, "reading of it hangs")
                   : has(message, "process " + pid + " cannot be measured: its file in /proc could not") ||
                         has(message, "no descriptor for the measurement of process " + pid);
    };
    BOOST_TEST(daemon.wait_for_state("named", [&](const auto& cat) {
        return cat["state"] == "unknown" && says_why(cat["lastProbe"]["message"]);
    }));
    BOOST_TEST(daemon.state("named")["failures"] == 0);
    BOOST_TEST(daemon.state("named")["worker"]["spawns"] == (worker_hangs ? 2 : 1));
    BOOST_TEST(daemon.count_log("kill begins") == 0U);
    file.release();  // before what hangs is waited for
    BOOST_TEST(daemon.wait_for_log("[named web] kill begins", 90s), "it is measured again");
}

}  // namespace

// Which of its files hangs depends on the kernel (DESIGN.md): stat, by which the worker identifies it, or only
// smaps_rollup, which the process reader opens for the worker.
BOOST_AUTO_TEST_CASE(a_pid_file_that_names_a_process_in_execve_costs_one_child_and_the_check_says_why) {
    const HangingFile file;
    const Subprocess hanging({"/usr/bin/python3", program("exec_again.py"), file.path(), "0"});
    BOOST_TEST_REQUIRE(file.wait_until_it_hangs());
    if (!hangs_in_execve()) {
        file.release();
        skip("no file in /proc of a process that hangs in execve(2) hangs on this kernel");
    }
    BOOST_TEST_REQUIRE(!readable(hanging.pid(), "smaps_rollup"));
    costs_one_child_and_says_why(file, hanging.pid(), !readable(hanging.pid(), "stat"));
}

// It can be identified, and smaps_rollup be opened: reading that hangs.
BOOST_AUTO_TEST_CASE(a_pid_file_that_names_a_process_in_a_page_fault_costs_one_child_and_the_check_says_why) {
    const HangingFile file(HangingFile::Hang::reading);
    const Subprocess hanging({"/usr/bin/python3", program("fault_and_map.py"), file.path()});
    BOOST_TEST_REQUIRE(file.wait_until_it_hangs());
    BOOST_TEST(wait_until([&] { return !readable(hanging.pid(), "smaps_rollup"); }));
    costs_one_child_and_says_why(file, hanging.pid(), true);
}

// The oldest process of a name is the one that is judged, also while it cannot be read.
BOOST_AUTO_TEST_CASE(a_process_that_hangs_is_not_judged_by_a_younger_one_of_its_name) {
    const HangingFile file(HangingFile::Hang::reading);
    const TempDir dir;
    const std::string name = "hcd-twin-" + std::to_string(::getpid());
    std::filesystem::create_symlink("/usr/bin/python3", dir.file(name));
    const Subprocess first({dir.file(name), program("fault_and_map.py"), file.path(), dir.file("hang")});
    std::this_thread::sleep_for(50ms);  // start times are in clock ticks
    const Subprocess second({dir.file(name), "-c", "import time; time.sleep(1000)"});
    const Daemon daemon(
        "unix:///nonexistent/supervisor.sock",
        std::string(kGood) + "named: {program: " + name +
            ", pidGet: name, pidUser: root, type: mem, memType: pss, maxMem: 100000, "
            "periodSeconds: 0.5, initialDelaySeconds: 0, failureThreshold: 1, action: kill}\n");
    BOOST_TEST_REQUIRE(daemon.wait_for_state(
        "named", [&](const auto& cat) { return healthy(cat) && cat["pid"] == first.pid(); }, 30s));
    dir.write("hang", "");
    BOOST_TEST_REQUIRE(file.wait_until_it_hangs());
    const std::string pid = std::to_string(first.pid());
    BOOST_TEST_REQUIRE(daemon.wait_for_log("looking at process " + pid + " in /proc seems to hang", 30s));
    BOOST_TEST(daemon.wait_for_state("named", [&](const auto& cat) {
        return cat["state"] == "unknown" && has(cat["lastProbe"]["message"], "process " + pid + " cannot be");
    }));
    BOOST_TEST(daemon.count_log("the process found is another one now") == 0U);
    file.release();
    BOOST_TEST(daemon.wait_for_state("named", healthy, 90s), "it is measured again");
    BOOST_TEST(daemon.count_log("the process found is another one now") == 0U);
}

// Whether its stat hangs for others too depends on the kernel (DESIGN.md): where it does, the command is told
// of no process.
BOOST_AUTO_TEST_CASE(a_command_about_a_program_that_hangs_in_execve_runs_all_the_same) {
    const HangingFile file;
    const Supervisord supervisord({{.name = "web", .command = exec_again(file, "4")}});
    Daemon daemon(supervisord.url(),
                  std::string(kGood) +
                      "port: {program: web, type: tcp, host: 127.0.0.1, periodSeconds: 0.5, " +
                      "initialDelaySeconds: 0, failureThreshold: 1, action: exec, execCmd: " +
                      "'echo \"pid <$HEALTHCHECK_PID>\"', port: " + std::to_string(free_port()) + "}\n");
    const std::string pid = std::to_string(supervisord.pid("web"));
    BOOST_TEST_REQUIRE(daemon.wait_for_log("output: pid <" + pid + ">"));
    BOOST_TEST_REQUIRE(file.wait_until_it_hangs());
    const std::size_t done = daemon.count_log("exec done: exit status 0");
    BOOST_TEST(wait_until([&] { return daemon.count_log("exec done: exit status 0") >= done + 3; }, 20s));
    BOOST_TEST(daemon.count_log("output: pid <>") ==
               daemon.count_log(", without HEALTHCHECK_PID: it could not be looked at again in time"));
    goes_on(daemon);
    file.release();
    BOOST_TEST(daemon.stop().took.count() < 3000 * slower());
}

BOOST_AUTO_TEST_SUITE_END()
