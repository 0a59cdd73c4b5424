// The test program. Two ways to run it:
//
//     build/testrunner --run_test=test_threshold      one process, all options of Boost.Test
//     build/testrunner --all [--jobs N] [FILTER...]   every test case in a process of its own, N (4) at a
//     time
//
// With --all a FILTER is a piece of "suite/name"; tests that hold any of them run. A test that takes longer
// than three minutes (three times that under the sanitizers) is ended and has failed. Tests whose name starts
// with serial_ run last and one at a time. A line that starts with "SKIPPED: " says that a test that
// succeeded has been skipped (t/fixture/skip.h). The last line gives the counts.
#include "common/system/unique_fd.h"
#include "t/fixture/skip.h"
#include "t/fixture/this_build.h"

#include <algorithm>
#include <array>
#include <boost/test/tree/observer.hpp>
#include <boost/test/tree/traverse.hpp>
#include <boost/test/tree/visitor.hpp>
#include <boost/test/unit_test.hpp>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <vector>

namespace {

namespace boost_test = boost::unit_test;
using healthcheckd::UniqueFd;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kTimeLimit{180 * healthcheckd::test::kSlower};
constexpr std::size_t kMaxShownOutput = 64 << 10;

bool nothing_to_prepare() {
    return true;
}

// Says on stdout that a test whose precondition does not hold was not run.
class SkipPrinter : public boost_test::test_observer {
public:
    // After the framework's own observers: one of them decides about failure and is unset until it has had
    // its turn.
    int priority() override { return 5; }
    void test_unit_skipped(const boost_test::test_unit& unit, boost_test::const_string reason) override {
        if (unit.p_type == boost_test::TUT_CASE && unit.is_enabled())
            std::printf("%s%.*s\n", healthcheckd::test::kSkipMark, static_cast<int>(reason.size()),
                        reason.begin());
        std::fflush(stdout);
    }
};

// The full names of all test cases that are not marked as disabled, in the order of the tree.
class NameCollector : public boost_test::test_tree_visitor {
public:
    std::vector<std::string> names;

private:
    static bool disabled(const boost_test::test_unit& unit) {
        return unit.p_default_status.get() == boost_test::test_unit::RS_DISABLED;
    }
    bool test_suite_start(const boost_test::test_suite& suite) override { return !disabled(suite); }
    void visit(const boost_test::test_case& test) override {
        if (!disabled(test))
            names.push_back(test.full_name());
    }
};

std::vector<std::string> all_test_names(char* program) {
    std::array<char*, 2> argv{program, nullptr};
    boost_test::framework::init(nothing_to_prepare, 1, argv.data());
    boost_test::framework::finalize_setup_phase();
    NameCollector collector;
    boost_test::traverse_test_tree(boost_test::framework::master_test_suite().p_id, collector, true);
    boost_test::framework::shutdown();
    return collector.names;
}

struct Options {
    std::size_t jobs = 4;
    std::vector<std::string> filters;

    bool wants(const std::string& name) const {
        return filters.empty() || std::any_of(filters.begin(), filters.end(), [&](const std::string& one) {
                   return name.find(one) != std::string::npos;
               });
    }
};

bool runs_alone(const std::string& name) {
    return name.substr(name.rfind('/') + 1).starts_with("serial_");
}

// One test case in a process of its own, which leads a process group of its own.
struct Run {
    std::string name;
    pid_t pid = -1;
    UniqueFd output;  // a file without a name
    Clock::time_point begin;
    bool timed_out = false;
};

enum class Outcome { ok, skipped, failed };

[[noreturn]] void become_test(const Run& run, pid_t runner, const sigset_t& mask) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int null = ::open("/dev/null", O_RDONLY);
    if (::getppid() != runner || ::dup2(null, 0) < 0 || ::dup2(run.output.get(), 1) < 0 || ::dup2(1, 2) < 0)
        ::_exit(126);
    ::close_range(3, ~0U, 0);
    ::sigprocmask(SIG_SETMASK, &mask, nullptr);
    const std::string filter = "--run_test=" + run.name;
    ::execl("/proc/self/exe", "testrunner", filter.c_str(), "--report_level=no", "--log_level=message",
            "--color_output=no", static_cast<char*>(nullptr));
    ::_exit(127);
}

class Runner {
public:
    explicit Runner(std::size_t jobs) : jobs_(jobs), runner_(::getpid()) {
        sigemptyset(&awaited_);
        for (const int number : {SIGCHLD, SIGINT, SIGTERM, SIGHUP})
            sigaddset(&awaited_, number);
        ::sigprocmask(SIG_BLOCK, &awaited_, &mask_at_start_);
    }

    // Runs all of `names`, at most `jobs` at once. False when a signal asked to stop.
    bool run(const std::vector<std::string>& names, std::size_t jobs) {
        std::size_t next = 0;
        while (next < names.size() || !running_.empty()) {
            while (next < names.size() && running_.size() < jobs)
                start(names[next++]);
            const timespec tick{0, 200'000'000};
            const int number = ::sigtimedwait(&awaited_, nullptr, &tick);
            if (number > 0 && number != SIGCHLD) {
                stop_all();
                return false;
            }
            end_overdue();
            collect();
        }
        return true;
    }

    // First what may run together, then what must be alone.
    bool run_all(std::vector<std::string> names) {
        const auto alone = std::stable_partition(names.begin(), names.end(),
                                                 [](const std::string& name) { return !runs_alone(name); });
        return run({names.begin(), alone}, jobs_) && run({alone, names.end()}, 1);
    }

    // Prints the failures and the counts; returns the exit status.
    int summary() const {
        if (!failures_.empty())
            std::printf("\nfailed:\n");
        for (const std::string& name : failures_)
            std::printf("    %s\n", name.c_str());
        std::printf("%zu passed, %zu failed", passed_, failures_.size());
        if (skipped_ > 0)
            std::printf(", %zu skipped", skipped_);
        std::printf("\n");
        return failures_.empty() && passed_ + skipped_ > 0 ? 0 : 1;
    }

private:
    void start(const std::string& name) {
        Run run;
        run.name = name;
        run.output = UniqueFd(::memfd_create("output", MFD_CLOEXEC));
        run.begin = Clock::now();
        run.pid = run.output ? ::fork() : -1;
        if (run.pid == 0)
            become_test(run, runner_, mask_at_start_);
        if (run.pid < 0) {
            std::printf("FAIL          %s\n    cannot start: %s\n", name.c_str(), ::strerror(errno));
            failures_.push_back(name);
            return;
        }
        ::setpgid(run.pid, run.pid);
        running_.push_back(std::move(run));
    }

    void end_overdue() {
        for (Run& run : running_)
            if (!run.timed_out && Clock::now() - run.begin > kTimeLimit) {
                run.timed_out = true;
                ::kill(-run.pid, SIGKILL);
            }
    }

    // Reaps the tests that have ended.
    void collect() {
        std::erase_if(running_, [this](const Run& run) {
            siginfo_t info{};
            if (::waitid(P_PID, static_cast<id_t>(run.pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
                info.si_pid == 0)
                return false;
            // As long as the test is not reaped, the number of its group cannot be another's.
            ::kill(-run.pid, SIGKILL);
            int status = 0;
            ::waitpid(run.pid, &status, 0);
            finish(run, status);
            return true;
        });
    }

    void finish(const Run& run, int status) {
        const double seconds = std::chrono::duration<double>(Clock::now() - run.begin).count();
        const std::string output = read_output(run.output.get());
        std::string reason;
        const Outcome outcome = judge(run, status, output, reason);
        const char* const word = outcome == Outcome::ok        ? "ok  "
                                 : outcome == Outcome::skipped ? "SKIP"
                                                               : "FAIL";
        std::printf("%s %7.2f s  %s%s%s\n", word, seconds, run.name.c_str(), reason.empty() ? "" : ": ",
                    reason.c_str());
        if (outcome == Outcome::failed) {
            failures_.push_back(run.name);
            print_indented(output);
        } else {
            ++(outcome == Outcome::ok ? passed_ : skipped_);
        }
        std::fflush(stdout);
    }

    static Outcome judge(const Run& run, int status, const std::string& output, std::string& reason) {
        if (run.timed_out) {
            reason = "not finished after " + std::to_string(kTimeLimit.count()) + " s";
            return Outcome::failed;
        }
        if (WIFSIGNALED(status)) {
            reason = std::string("ended by signal ") + ::strsignal(WTERMSIG(status));
            return Outcome::failed;
        }
        if (WEXITSTATUS(status) != 0) {
            reason = "exit status " + std::to_string(WEXITSTATUS(status));
            return Outcome::failed;
        }
        const std::string mark = healthcheckd::test::kSkipMark;
        const std::size_t at = output.starts_with(mark) ? 0 : output.find("\n" + mark);
        if (at == std::string::npos)
            return Outcome::ok;
        const std::size_t text = output.find(mark, at) + mark.size();
        reason = output.substr(text, output.find('\n', text) - text);
        return Outcome::skipped;
    }

    // The end of what a test wrote.
    static std::string read_output(int fd) {
        struct stat status {};
        if (::fstat(fd, &status) != 0 || status.st_size == 0)
            return {};
        const auto size = std::min(static_cast<std::size_t>(status.st_size), kMaxShownOutput);
        std::string text(size, '\0');
        const ssize_t n = ::pread(fd, text.data(), size, status.st_size - static_cast<off_t>(size));
        text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        return text;
    }

    static void print_indented(std::string_view text) {
        while (!text.empty()) {
            const std::string_view line = text.substr(0, text.find('\n'));
            std::printf("    %.*s\n", static_cast<int>(line.size()), line.data());
            text.remove_prefix(std::min(text.size(), line.size() + 1));
        }
    }

    void stop_all() {
        for (const Run& run : running_) {
            ::kill(-run.pid, SIGKILL);
            ::waitpid(run.pid, nullptr, 0);
            failures_.push_back(run.name + " (interrupted)");
        }
        running_.clear();
    }

    std::size_t jobs_;
    pid_t runner_;
    sigset_t awaited_{};
    sigset_t mask_at_start_{};
    std::vector<Run> running_;
    std::vector<std::string> failures_;
    std::size_t passed_ = 0;
    std::size_t skipped_ = 0;
};

bool parse_arguments(int argc, char* argv[], Options& options) {
    for (int i = 2; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--jobs" && i + 1 < argc) {
            const std::string_view number = argv[++i];
            const auto [end, error] =
                std::from_chars(number.data(), number.data() + number.size(), options.jobs);
            if (error != std::errc() || end != number.data() + number.size() || options.jobs < 1)
                return false;
        } else if (argument.starts_with("-")) {
            return false;
        } else {
            options.filters.emplace_back(argument);
        }
    }
    return true;
}

int run_all(int argc, char* argv[]) {
    Options options;
    if (!parse_arguments(argc, argv, options)) {
        std::fprintf(stderr, "usage: testrunner --all [--jobs N] [FILTER...]\n");
        return 2;
    }
    std::vector<std::string> names = all_test_names(argv[0]);
    std::erase_if(names, [&](const std::string& name) { return !options.wants(name); });
    Runner runner(options.jobs);
    const bool complete = runner.run_all(std::move(names));
    if (!complete)
        std::printf("\ninterrupted\n");
    const int status = runner.summary();
    return complete ? status : 1;
}

bool register_observer() {
    static SkipPrinter printer;
    boost_test::framework::register_observer(printer);
    return true;
}

}  // namespace

int main(int argc, char* argv[]) {
    if (argc > 1 && std::string_view(argv[1]) == "--all")
        return run_all(argc, argv);
    return boost_test::unit_test_main(register_observer, argc, argv);
}
