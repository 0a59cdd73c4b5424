// Workers that misbehave: what it costs their own cat, and that it costs the others and the master nothing.
#include "common/config/log_path.h"
#include "common/proc/proc_stat.h"
#include "common/sandbox/sandbox.h"
#include "common/sandbox/seccomp.h"
#include "common/wire/protocol_worker.h"
#include "t/fixture/checks.h"
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/process/bad_worker.h"
#include "t/fixture/skip.h"
#include "t/fixture/slower.h"
#include "t/fixture/supervisord/supervisord.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fstream>
#include <poll.h>
#include <random>
#include <sstream>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <thread>

using namespace healthcheckd;
using namespace healthcheckd::test;
using namespace std::string_literals;
using Deed = std::function<void(const worker::WorkerStart&, std::uint64_t)>;

BOOST_AUTO_TEST_SUITE(test_worker_process)

namespace {

constexpr double kPeriodMs = 200;
// By what the master may grow. The address sanitizer keeps what is freed for a while, so there each look at the state counts.
constexpr long kMostGrownKb = kSanitized ? 16 << 10 : 1 << 10;

// Neither asks supervisord anything.
constexpr char kCats[] = "bad: {program: system, type: mem, periodSeconds: 0.2, initialDelaySeconds: 0, "
                         "failureThreshold: 50, action: email}\n"
                         "good: {program: system, type: mem, maxMem: 100000000, periodSeconds: 0.2, "
                         "initialDelaySeconds: 0, action: email}\n";
constexpr char kNoSupervisord[] = "unix:///nonexistent/supervisor.sock";

void say(std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(kReportFd, text.data(), text.size());
        if (n <= 0)
            ::pause();  // nobody reads any more: wait to be ended
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

[[noreturn]] void repeat(const std::string& text) {
    std::string block;
    while (block.size() < (1u << 16))
        block += text;
    for (;;)
        say(block);
}

std::string random_bytes(std::size_t count) {
    std::mt19937 random(1);
    std::string bytes(count, '\0');
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random() & 0xff); });
    return bytes;
}

struct Row {
    const char* name;
    Deed deed;
    const char* reason;  // part of the line that says why the worker was lost
    // Verdicts that are unknown: none where the probe under way was answered, whatever came after.
    std::size_t unknown = 1;
};

const std::array kRows{
    Row{"flood of lines that fit the grammar", [](auto&, auto) { repeat("broken msg=flood\n"); },
        "it wrote more lines in a second than it may"},
    Row{"flood of answers",
        [](const worker::WorkerStart& start, auto seq) {
            repeat(std::string(encode(report_of(start, seq, Verdict::success, "well")).line()));
        },
        "it answered a probe that nobody asked for", 0},
    Row{"megabyte without a newline", [](auto&, auto) { repeat(std::string(1 << 20, 'x')); },
        "it wrote a line of more than 4096 bytes"},
    Row{"random bytes", [](auto&, auto) { repeat(random_bytes(1 << 16)); }, "it "},
    Row{"terminal commands and NUL",
        [](auto&, auto) {
            say("success \x1b[2J\x07\0\r\xff seq=1\n"s);
            ::pause();
        },
        "it broke the protocol"},
    Row{"partial line", [](auto&, auto) { say("success seq="); }, "exit status 0"},
    Row{"crash", [](auto&, auto) { ::raise(SIGSEGV); }, "killed by signal 11 (Segmentation fault)"},
    Row{"killed", [](auto&, auto) { ::raise(SIGKILL); }, "killed by signal 9 (Killed)"},
    Row{"no memory",
        [](auto&, auto) {
            const rlimit none{1, 1};
            ::setrlimit(RLIMIT_AS, &none);
            std::string much(1 << 30, 'x');
            say(much.substr(0, 1));
        },
        // The allocator of AddressSanitizer ends the process before std::bad_alloc is thrown.
        kSanitized ? "exit status 1" : "std::bad_alloc"},
    Row{"pipe held by a child",
        [](auto&, auto) {
            const pid_t worker = ::getpid();
            if (::fork() != 0)
                return;
            // What comes before the worker is reaped could still be its own: an end takes a while, the longer
            // the more memory there is to return.
            for (int i = 0; i < 500 && ::kill(worker, 0) == 0; ++i)
                ::usleep(20'000);
            // It outlives the worker; nobody listens to it any more.
            for (int i = 0; i < 100; ++i) {
                ::usleep(20'000);
                (void)!::write(kReportFd, "success seq=1\n", 14);
            }
            ::_exit(0);
        },
        "exit status 0"},
    Row{"frozen", [](auto&, auto) { ::raise(SIGSTOP); }, "it did not answer in time"},
};

// "VmHWM:" of /proc/PID/status in kB.
long status_kb(pid_t pid, const std::string& key) {
    std::istringstream in(read_file("/proc/" + std::to_string(pid) + "/status"));
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(key))
            return std::stol(line.substr(key.size()));
    return -1;
}

// Milliseconds of the day of each line of a worker's log that tells of a probe.
std::vector<double> probe_times(const std::string& log) {
    std::vector<double> times;
    std::istringstream in(log);
    for (std::string line; std::getline(in, line);) {
        int h = 0, m = 0;
        double s = 0;
        if (line.find("] success: ") != std::string::npos &&
            std::sscanf(line.c_str(), "%*d-%*d-%*d %d:%d:%lf", &h, &m, &s) == 3)
            times.push_back(((h * 60 + m) * 60 + s) * 1000);
    }
    return times;
}

// By how much the latest of the probes from number `from` on came more than a period after the one before it.
double worst_delay(const std::vector<double>& times, std::size_t from) {
    double worst = 0;
    for (std::size_t i = std::max<std::size_t>(from, 1); i < times.size(); ++i)
        worst = std::max(worst, times[i] - times[i - 1] - kPeriodMs);
    return worst;
}

// The longest time that this machine let a ready thread wait, for as long as the object lives.
class Noise {
public:
    Noise()
        : thread_([this] {
              while (!stop_) {
                  const auto begin = std::chrono::steady_clock::now();
                  std::this_thread::sleep_for(5ms);
                  const std::chrono::duration<double, std::milli> took =
                      std::chrono::steady_clock::now() - begin;
                  worst_ = std::max(worst_.load(), took.count() - 5);
              }
          }) {}
    ~Noise() {
        stop_ = true;
        thread_.join();
    }
    double worst() const { return worst_; }

private:
    std::atomic<bool> stop_ = false;
    std::atomic<double> worst_ = 0;
    std::thread thread_;
};

void need_seccomp() {
#if defined(__SANITIZE_ADDRESS__)
    skip("a build with AddressSanitizer, which loads no filter");
#endif
}

}  // namespace

BOOST_AUTO_TEST_CASE(serial_a_bad_worker_costs_its_own_cat_one_unknown_verdict_and_nobody_else_anything) {
    for (const Row& row : kRows) {
        BOOST_TEST_CONTEXT(row.name) {
            const BadWorker bad("bad", row.deed);
            const Daemon daemon(kNoSupervisord, kCats, {.worker_main = bad.main()});
            BOOST_TEST_REQUIRE(daemon.wait_for_state("good", [](auto& cat) { return cat["probes"] >= 3; }));
            BOOST_TEST_REQUIRE(wait_until([&] { return bad.answers() >= 3; }));
            (void)daemon.state();  // once before, so that its memory is not counted
            const auto before = probe_times(daemon.cat_log("good")).size();
            std::ofstream("/proc/" + std::to_string(daemon.pid()) + "/clear_refs")
                << "5";  // the peak starts anew
            const long memory = status_kb(daemon.pid(), "VmHWM:");
            const Noise noise;

            bad.begin();
            BOOST_TEST(wait_until([&] { return bad.deeds() == 1; }));
            bad.end();
            BOOST_TEST(daemon.wait_for_log("was lost: " + std::string(row.reason)));
            BOOST_TEST(daemon.wait_for_state("bad", [](auto& cat) {
                return cat["worker"]["spawns"] == 2 && cat["lastProbe"]["verdict"] == "success";
            }));
            BOOST_TEST(wait_until([&] { return daemon.state("bad")["probes"] == bad.answers() + 1; }));
            BOOST_TEST(daemon.state("bad")["failures"] == 0);
            BOOST_TEST(daemon.count_log("[bad system] could not be checked: the worker was lost") ==
                       row.unknown);

            // As long a time for each row; the frozen one takes longer by itself.
            std::vector<double> times;
            BOOST_TEST(wait_until([&] {
                times = probe_times(daemon.cat_log("good"));
                return times.size() >= before + 5;
            }));
            const double late = worst_delay(times, before);
            const long grown = status_kb(daemon.pid(), "VmHWM:") - memory;
            BOOST_TEST_MESSAGE(row.name << ": " << late << " ms late, noise " << noise.worst()
                                        << " ms, grown " << grown << " kB");
            BOOST_TEST(late < 100 * slower() + noise.worst());
            BOOST_TEST((memory > 0 && grown < kMostGrownKb), "grown by " << grown << " kB");
            BOOST_TEST(daemon.state("good")["worker"]["spawns"] == 1);
            const std::string log = daemon.log();
            BOOST_TEST(std::none_of(log.begin(), log.end(), [](char c) {
                return c != '\n' && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f);
            }));
        }
    }
}

BOOST_AUTO_TEST_CASE(what_a_worker_must_not_write_is_logged_with_its_control_characters_escaped) {
    const BadWorker bad("bad", [](auto&, auto) { say("succ\x1b[2J\x07 seq=1\n"), ::pause(); });
    const Daemon daemon(kNoSupervisord, kCats, {.worker_main = bad.main()});
    bad.begin();
    BOOST_TEST(
        daemon.wait_for_log("[bad system] the worker wrote what it must not: succ\\x1B[2J\\x07 seq=1"));
}

BOOST_AUTO_TEST_CASE(a_worker_that_crashes_at_once_is_started_at_growing_distances) {
    const auto worker_main = [](const worker::WorkerStart& start) {
        return start.name == "bad" ? 3 : worker::run_worker(start);
    };
    const Daemon daemon(kNoSupervisord, kCats, {.worker_main = worker_main});
    BOOST_TEST(daemon.wait_for_log("the next one starts in 1 s"));
    BOOST_TEST(daemon.wait_for_log("the next one starts in 2 s"));
    BOOST_TEST(daemon.wait_for_log("the next one starts in 4 s"));
    BOOST_TEST(daemon.state("bad")["worker"]["spawns"] <= 4);
    BOOST_TEST(daemon.state("bad")["failures"] == 0);
    // Each tick without a worker is unknown, and that is said once.
    BOOST_TEST(daemon.count_log("[bad system] could not be checked: there is no worker: exit status 3") ==
               1U);
    BOOST_TEST(daemon.state("good")["state"] == "healthy");
}

BOOST_AUTO_TEST_CASE(a_forbidden_system_call_ends_the_worker_and_is_named_in_the_log) {
    need_seccomp();
    const BadWorker bad("bad", [](const worker::WorkerStart& start, auto) {
        const auto profile = kMemCheck.profile(start.cat);
        if (!enter_sandbox(profile, start.config.sandbox, start.master))
            ::_exit(9);
        send_signal(start.master, SIGKILL);
        ::_exit(8);
    });
    const Daemon daemon(kNoSupervisord, kCats, {.worker_main = bad.main()});
    bad.begin();
    BOOST_TEST(daemon.wait_for_log("was lost: sandbox violation: system call kill (" +
                                   std::to_string(SYS_kill) + ") (killed by signal 31 (Bad system call))"));
    BOOST_TEST(daemon.wait_for_state("good", [](const auto& state) { return state["state"] == "healthy"; }));
}

BOOST_AUTO_TEST_CASE(with_sandbox_log_a_forbidden_system_call_is_a_line_and_the_worker_lives) {
    need_seccomp();
    const BadWorker bad("bad", [](const worker::WorkerStart& start, auto seq) {
        const auto profile = kMemCheck.profile(start.cat);
        if (!enter_sandbox(profile, start.config.sandbox, start.master))
            ::_exit(9);
        send_signal(start.master, SIGKILL);
        say(encode(report_of(start, seq, Verdict::success, "went on")).line());
        ::poll(nullptr, 0, 60'000);
    });
    const Daemon daemon(kNoSupervisord, kCats, {.config_lines = "sandbox: log", .worker_main = bad.main()});
    bad.begin();
    BOOST_TEST(daemon.wait_for_log("[bad system] sandbox violation: system call kill"));
    BOOST_TEST(daemon.wait_for_state("bad", [](auto& cat) {
        return cat["lastProbe"].is_object() && cat["lastProbe"]["message"] == "went on" &&
               cat["worker"]["spawns"] == 1;
    }));
    BOOST_TEST(daemon.count_log("was lost") == 0U);
    // What ends it later is not the violation.
    const auto worker = daemon.state("bad")["worker"]["pid"].get<pid_t>();
    BOOST_TEST_REQUIRE(worker > 1);
    send_signal(worker, SIGKILL);
    BOOST_TEST(daemon.wait_for_log("was lost: killed by signal 9"));
}

BOOST_AUTO_TEST_CASE(a_worker_cannot_choose_who_is_killed) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    Subprocess victim({"/bin/sleep", "1001"});
    const auto start = start_ticks_of(victim.pid());
    BOOST_TEST_REQUIRE(static_cast<bool>(start));
    const BadWorker bad("bad", [&](const worker::WorkerStart& of, auto seq) {
        Report report = report_of(of, seq, Verdict::failure, "kill that one");
        report.process = {victim.pid(), *start};
        say(encode(report).line());
        ::pause();
    });
    bad.begin();
    struct Case {
        std::string keys, told;
    };
    for (const auto& [keys, told] :
         {Case{"type: restart", "it answered for another process than it was asked about"},
          Case{"type: mem", "it answered for another process than it was asked about"},
          Case{"type: mem, pidGet: name", "refused to kill pid " + std::to_string(victim.pid())}}) {
        const Daemon daemon(supervisord.url(),
                            "bad: {program: web, periodSeconds: 0.2, initialDelaySeconds: 0, "
                            "failureThreshold: 1, action: kill, " +
                                keys + "}\n",
                            {.worker_main = bad.main()});
        BOOST_TEST(daemon.wait_for_log(told), keys);
        BOOST_TEST(victim.running(), keys);
    }
}

BOOST_AUTO_TEST_CASE(a_worker_cannot_choose_which_process_a_command_is_told) {
    const Supervisord supervisord({{.name = "web", .command = "/bin/sleep 1000"}});
    const Subprocess victim({"/bin/sleep", "1001"});
    const auto start = start_ticks_of(victim.pid());
    BOOST_TEST_REQUIRE(static_cast<bool>(start));
    const BadWorker bad("bad", [&](const worker::WorkerStart& of, auto seq) {
        Report report = report_of(of, seq, Verdict::failure, "tell that one");
        report.process = {victim.pid(), *start};
        say(encode(report).line());
        ::pause();
    });
    bad.begin();
    const TempDir dir;
    for (const std::string& keys :
         {std::string("pidGet: name"),
          "pidGet: file, pidFile: " + dir.write("web.pid", std::to_string(supervisord.pid("web")))}) {
        const Daemon daemon(
            supervisord.url(),
            "bad: {program: web, type: mem, periodSeconds: 0.2, initialDelaySeconds: 0, "
            "failureThreshold: 1, action: exec, execCmd: 'echo \"pid <$HEALTHCHECK_PID>\"', " +
                keys + "}\n",
            {.worker_main = bad.main()});
        BOOST_TEST(daemon.wait_for_log("output: pid <>"), keys);
        BOOST_TEST(daemon.wait_for_log(", without HEALTHCHECK_PID: pid " + std::to_string(victim.pid()) +
                                       " is not the process that web means now"),
                   keys);
    }
}

BOOST_AUTO_TEST_CASE(a_worker_that_asks_for_rotation_all_the_time_gets_one_a_pause_and_none_of_a_small_log) {
    const BadWorker bad("bad", [&](const worker::WorkerStart& start, auto) {
        const std::string path = worker_log_path(start.config, start.name);
        for (int i = 0; i < 60; ++i) {
            if (i >= 20)
                std::ofstream(path, std::ios::app) << std::string(20'000, 'x');
            say("rotate\n");
            ::usleep(40'000);
        }
        ::pause();
    });
    const Daemon daemon(kNoSupervisord, kCats,
                        {.config_lines = "logMaxBytes: 10000\nlogBackups: 3", .worker_main = bad.main()});
    bad.begin();
    const std::string log = daemon.log_dir() + "/bad.log";
    const auto began = std::chrono::steady_clock::now();
    BOOST_TEST(wait_until([&] { return std::filesystem::exists(log + ".1"); }, 20s));
    BOOST_TEST((std::chrono::steady_clock::now() - began > 4s));  // the first request found an empty log
    BOOST_TEST(stays([&] { return !std::filesystem::exists(log + ".2"); }, 1s));
}

BOOST_AUTO_TEST_SUITE_END()
