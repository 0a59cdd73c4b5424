#include "common/proc/procfs.h"
#include "t/fixture/basics.h"
#include "t/fixture/checks.h"
#include "t/fixture/process/forked.h"
#include "t/fixture/process/worker_harness.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <csignal>
#include <cstring>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_probe_mem)

namespace {

constexpr std::size_t kMb = 1 << 20;

CatConfig mem_cat(MemType type, double limit_mb = 4096) {
    CatConfig cat;
    cat.set_type(kMemCheck);
    cat.own<MemCheck>().mem_type = type;
    cat.own<MemCheck>().max_mem_mb = limit_mb;
    return cat;
}

// Two processes that share 64 MB; the one that is watched has 16 MB to itself.
class Sharing {
public:
    Sharing() : parent_(&Sharing::life) { BOOST_TEST_REQUIRE(parent_.line().value_or("") == "touched"); }

    ProcessId process() const { return identify(parent_.pid()); }
    void end() {
        send_signal(parent_.pid(), SIGKILL);
        parent_.end();
    }
    void stop_without_reaping() {
        send_signal(parent_.pid(), SIGKILL);
        siginfo_t info{};
        ::waitid(P_PID, static_cast<id_t>(parent_.pid()), &info, WEXITED | WNOWAIT);
    }
    // What the kernel says now, in MB.
    double kernels(std::string_view field) const {
        std::array<char, 8192> buffer;
        const auto text = read_text("/proc/" + std::to_string(parent_.pid()) + "/smaps_rollup", buffer);
        return static_cast<double>(kilobytes(*text, field).value()) / 1024;
    }

private:
    static int life(pid_t) {
        void* shared = ::mmap(nullptr, 64 * kMb, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        void* own = ::mmap(nullptr, 16 * kMb, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        std::memset(shared, 1, 64 * kMb);
        auto pipe = make_pipe();
        const pid_t self = ::getpid();
        if (::fork() == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            std::memset(shared, 2, 64 * kMb);
            if (::getppid() != self || ::write(pipe->second.get(), "x", 1) != 1)
                ::_exit(1);
            for (;;)
                ::pause();
        }
        char byte = 0;
        std::memset(own, 3, 16 * kMb);
        if (::read(pipe->first.get(), &byte, 1) != 1 || ::write(kReportFd, "touched\n", 8) != 8)
            return 1;
        for (;;)
            ::pause();
    }

    Forked parent_;
};

Report measure(WorkerHarness& worker, ProcessId process) {
    worker.track(process);
    return worker.probe(process);
}

}  // namespace

BOOST_AUTO_TEST_CASE(pss_and_uss_of_shared_memory_are_told_from_rss) {
    const Sharing sharing;
    struct Row {
        MemType type;
        std::vector<std::string_view> fields;  // the kernel's, which add up to it
    };
    const Row rows[] = {
        {MemType::rss, {"Rss"}},
        {MemType::pss, {"Pss"}},
        {MemType::uss, {"Private_Clean", "Private_Dirty"}},
    };
    double values[3] = {};
    for (std::size_t i = 0; i < 3; ++i) {
        WorkerHarness worker(mem_cat(rows[i].type));
        const Report report = measure(worker, sharing.process());
        // While the worker lives: as a fork of the test it shares the test's own pages with both processes,
        // which are many in a build with AddressSanitizer, and lowers the pss of each.
        double kernels = 0;
        for (const std::string_view field : rows[i].fields)
            kernels += sharing.kernels(field);
        BOOST_TEST_CONTEXT(to_string(rows[i].type) << ": " << report.message) {
            BOOST_TEST(report.verdict == Verdict::success);
            BOOST_TEST(report.unit == "MB");
            BOOST_TEST(std::abs(report.value - kernels) < 2.0);
            BOOST_TEST(report.message.starts_with(to_string(rows[i].type)));
        }
        values[i] = report.value;
    }
    BOOST_TEST(values[0] > 80);              // 64 shared, 16 own
    BOOST_TEST(values[0] - values[1] > 30);  // half of the shared ones are the other's
    BOOST_TEST(values[1] - values[2] > 30);  // and none of them is its own
}

BOOST_AUTO_TEST_CASE(failure_begins_at_the_limit) {
    const Sharing sharing;
    WorkerHarness below(mem_cat(MemType::rss, 10000));
    BOOST_TEST(measure(below, sharing.process()).verdict == Verdict::success);
    WorkerHarness above(mem_cat(MemType::rss, 64));
    const Report report = measure(above, sharing.process());
    BOOST_TEST(report.verdict == Verdict::failure);
    BOOST_TEST(report.limit == 64);
    BOOST_TEST((report.process == sharing.process()));
    BOOST_TEST(report.message.ends_with("MB, at or above the limit of 64 MB"), report.message);
}

BOOST_AUTO_TEST_CASE(a_process_that_ended_is_idle) {
    for (const MemType type : {MemType::rss, MemType::pss}) {
        Sharing sharing;
        const ProcessId process = sharing.process();
        WorkerHarness worker(mem_cat(type));
        worker.track(process);
        BOOST_TEST(worker.probe(process).verdict == Verdict::success);
        sharing.stop_without_reaping();
        const Report zombie = worker.probe(process);
        BOOST_TEST(zombie.verdict == Verdict::idle);
        BOOST_TEST(zombie.message == "the process has ended");
        sharing.end();
        BOOST_TEST(worker.probe(process).verdict == Verdict::idle);
    }
}

BOOST_AUTO_TEST_CASE(a_program_that_does_not_run_is_idle) {
    WorkerHarness worker(mem_cat(MemType::rss));
    const Report report = worker.probe({}, "EXITED");
    BOOST_TEST(report.verdict == Verdict::idle);
    BOOST_TEST(report.message == "not running (EXITED)");
}

BOOST_AUTO_TEST_CASE(a_process_without_its_descriptor_is_unknown) {
    const Sharing sharing;
    WorkerHarness worker(mem_cat(MemType::rss));
    BOOST_TEST(worker.probe(sharing.process()).verdict == Verdict::unknown);
    worker.track(identify(::getpid()));
    BOOST_TEST(worker.probe(sharing.process()).verdict == Verdict::unknown);
}

BOOST_AUTO_TEST_CASE(the_machines_memory_in_use_is_measured_for_system) {
    CatConfig cat = mem_cat(MemType::rss, 1e9);
    cat.program = "system";
    WorkerHarness worker(cat);
    const Report report = worker.probe({}, "");
    std::array<char, 8192> buffer;
    const auto text = read_text("/proc/meminfo", buffer);
    const auto used =
        static_cast<double>(*kilobytes(*text, "MemTotal") - *kilobytes(*text, "MemAvailable")) / 1024;
    BOOST_TEST(report.verdict == Verdict::success, report.message);
    BOOST_TEST(report.process.pid == 0);
    // Other tests use memory at the same time.
    BOOST_TEST(std::abs(report.value - used) < used / 2);
    BOOST_TEST(report.message.starts_with("memory in use"));
}

BOOST_AUTO_TEST_SUITE_END()
