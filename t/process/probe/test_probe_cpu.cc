#include "t/fixture/basics.h"
#include "t/fixture/checks.h"
#include "t/fixture/process/forked.h"
#include "t/fixture/process/worker_harness.h"
#include "t/fixture/slower.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <csignal>
#include <ctime>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>

// Tests that compare shares of a core run alone (serial_), for the sake of their tolerances.

using namespace healthcheckd;
using namespace healthcheckd::test;
using Clock = std::chrono::steady_clock;

BOOST_AUTO_TEST_SUITE(test_probe_cpu)

namespace {

CatConfig cpu_cat(double limit = 90) {
    CatConfig cat;
    cat.set_type(kCpuCheck);
    cat.own<CpuCheck>().max_cpu_percent = limit;
    return cat;
}

int spin(pid_t) {
    for (std::atomic<unsigned> i = 0;; ++i)
        continue;
}

// 20 ms of work in each 100 ms.
int work_a_fifth(pid_t) {
    for (;;) {
        const auto begin = Clock::now();
        while (Clock::now() < begin + 20ms)
            continue;
        std::this_thread::sleep_until(begin + 100ms);
    }
}

int sleep_on(pid_t) {
    for (;;)
        ::pause();
}

// The report of the first probe, 1 s after the worker heard of the process.
Report first_report(WorkerHarness& worker, const Forked& program) {
    const ProcessId process = identify(program.pid());
    worker.track(process);
    std::this_thread::sleep_for(1s);
    return worker.probe(process);
}

// The same, and what the kernel's clock of the process says for that time: on a busy machine a spinner gets
// less than a core.
struct Compared {
    Report report;
    double kernels = 0;  // per cent of a core
};

Compared compare(WorkerHarness& worker, const Forked& program) {
    clockid_t clock{};
    BOOST_TEST_REQUIRE(::clock_getcpuclockid(program.pid(), &clock) == 0);
    const auto cpu_seconds = [&] {
        timespec used{};
        ::clock_gettime(clock, &used);
        return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
    };
    const auto begin = Clock::now();
    const double before = cpu_seconds();
    Compared compared;
    compared.report = first_report(worker, program);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    compared.kernels = 100 * (cpu_seconds() - before) / seconds;
    return compared;
}

}  // namespace

BOOST_AUTO_TEST_CASE(serial_a_spinner_is_seen_right_from_the_first_report) {
    const Forked program(&spin);
    WorkerHarness worker(cpu_cat(5));
    const auto [report, kernels] = compare(worker, program);
    BOOST_TEST_CONTEXT(report.message << ", kernel: " << kernels << " %") {
        BOOST_TEST(report.verdict == Verdict::failure);
        BOOST_TEST(std::abs(report.value - kernels) < 10);
        BOOST_TEST(report.value > 5);
        BOOST_TEST(report.value < 110);
        BOOST_TEST(report.unit == "%");
        BOOST_TEST(report.message.ends_with("%, at or above the limit of 5 %"));
    }
}

BOOST_AUTO_TEST_CASE(serial_a_fifth_of_a_core_is_a_fifth) {
    const Forked program(&work_a_fifth);
    WorkerHarness worker(cpu_cat(50));
    const auto [report, kernels] = compare(worker, program);
    BOOST_TEST_CONTEXT(report.message << ", kernel: " << kernels << " %") {
        BOOST_TEST(report.verdict == Verdict::success);
        BOOST_TEST(std::abs(report.value - kernels) < 10);
        BOOST_TEST(report.value < 35);
    }
}

BOOST_AUTO_TEST_CASE(serial_several_threads_add_up) {
    const Forked program([](pid_t parent) {
        std::thread other([&] { spin(parent); });
        return spin(parent);
    });
    WorkerHarness worker(cpu_cat());
    const auto [report, kernels] = compare(worker, program);
    BOOST_TEST(std::abs(report.value - kernels) < 20, report.message << ", kernel: " << kernels << " %");
}

BOOST_AUTO_TEST_CASE(a_sleeper_uses_nothing) {
    const Forked program(&sleep_on);
    WorkerHarness worker(cpu_cat());
    const Report report = first_report(worker, program);
    BOOST_TEST(report.verdict == Verdict::success);
    BOOST_TEST(report.value < 5);
}

BOOST_AUTO_TEST_CASE(a_probe_right_after_the_baseline_waits_until_it_can_tell) {
    const Forked program(&spin);
    WorkerHarness worker(cpu_cat());
    const ProcessId process = identify(program.pid());
    worker.track(process);
    const Report report = worker.probe(process);
    BOOST_TEST(report.took_us > 100'000u);
    BOOST_TEST(report.took_us < 2'000'000u * slower());
    // Without the wait it would be nothing, or a tick in a millisecond.
    BOOST_TEST(report.value > 0, report.message);
    BOOST_TEST(report.value < 120, report.message);
}

BOOST_AUTO_TEST_CASE(only_the_time_since_the_last_probe_counts) {
    const Forked program(&spin);
    WorkerHarness worker(cpu_cat());
    const ProcessId process = identify(program.pid());
    worker.track(process);
    BOOST_TEST(worker.probe(process).value > 0);
    send_signal(program.pid(), SIGSTOP);
    int status = 0;
    ::waitpid(program.pid(), &status, WUNTRACED);
    (void)worker.probe(process);
    std::this_thread::sleep_for(300ms);
    BOOST_TEST(worker.probe(process).value < 5);
}

BOOST_AUTO_TEST_CASE(a_name_like_the_files_own_text_does_not_confuse) {
    const Forked program([](pid_t) {
        ::prctl(PR_SET_NAME, "a) R 1 (b) x (");
        return sleep_on(0);
    });
    BOOST_TEST_REQUIRE(wait_until(
        [&] { return read_file("/proc/" + std::to_string(program.pid()) + "/comm") == "a) R 1 (b) x (\n"; }));
    WorkerHarness worker(cpu_cat());
    const Report report = first_report(worker, program);
    BOOST_TEST(report.verdict == Verdict::success, report.message);
    BOOST_TEST(report.value < 5);
}

BOOST_AUTO_TEST_CASE(a_process_that_ended_is_idle) {
    Forked program(&sleep_on);
    WorkerHarness worker(cpu_cat());
    const ProcessId process = identify(program.pid());
    worker.track(process);
    BOOST_TEST(worker.probe(process).verdict == Verdict::success);
    send_signal(program.pid(), SIGKILL);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(program.pid()), &info, WEXITED | WNOWAIT);
    BOOST_TEST(worker.probe(process).verdict == Verdict::idle);
    program.end();
    BOOST_TEST(worker.probe(process).message == "the process has ended");
}

BOOST_AUTO_TEST_CASE(the_machines_share_stays_within_a_hundred) {
    const Forked program(&spin);
    CatConfig cat = cpu_cat(101);
    cat.program = "system";
    WorkerHarness worker(cat);
    const Report report = worker.probe({}, "");
    BOOST_TEST(report.verdict == Verdict::success, report.message);
    BOOST_TEST(report.value > 5);
    BOOST_TEST(report.value <= 100);
}

BOOST_AUTO_TEST_SUITE_END()
