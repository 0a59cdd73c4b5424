#include "master/action/command.h"

#include "common/system/descriptors.h"
#include "common/system/pidfd.h"
#include "common/system/readable.h"
#include "common/system/unique_fd.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace healthcheckd::master {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kKeptOutput = 4096;
constexpr int kPipeSize = 1 << 20;         // buffer for leftovers that write after the shell's end
constexpr milliseconds kLastResort{1000};  // for a shell to end after SIGKILL
constexpr milliseconds kTick{50};          // interval of checking for descendants, whose end raises no event

// Returns argv or envp: pointers into `texts`, which must not change afterwards.
std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts)
        all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

std::vector<std::string> environment(const ShellCommand& command) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const std::string_view name = text.substr(0, text.find('='));
        if (std::ranges::none_of(command.env, [&](const auto& added) { return added.first == name; }))
            all.emplace_back(text);
    }
    for (const auto& [name, value] : command.env)
        all.push_back(name + "=" + value);
    return all;
}

// Uses the system call: signal(3) rejects 32 and 33, which the C library reserves for its threads, and which
// posix_spawn(3) of glibc 2.36 leaves ignored in processes that it starts; make runs its recipes that way.
void set_default_dispositions() noexcept {
    constexpr std::size_t kMaskSize = 8;
    constexpr std::array<std::uint64_t, 4> kDefault{};  // the kernel's struct sigaction: SIG_DFL, no flags
    for (int number = 1; number <= SIGRTMAX; ++number)
        ::syscall(SYS_rt_sigaction, number, kDefault.data(), nullptr, kMaskSize);
}

[[noreturn]] void become_shell(int output, const std::optional<rlimit>& descriptors, char* const* argv,
                               char* const* envp) noexcept {
    ::setsid();
    set_default_dispositions();
    // healthcheckd runs its own processes as SCHED_BATCH; any other policy was chosen by the operator.
    const sched_param normal{};
    if (::sched_getscheduler(0) == SCHED_BATCH)
        ::sched_setscheduler(0, SCHED_OTHER, &normal);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    // Moves it above 0 to 2 first, in case the caller had one of these closed.
    output = ::fcntl(output, F_DUPFD, 3);
    const int input = ::open("/dev/null", O_RDONLY);
    if (output < 0 || input < 0 || ::dup2(input, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(output, 2) < 0)
        ::_exit(127);
    ::close_range(3, ~0U, 0);
    // A higher limit than usual breaks programs that use select(2) or close every possible descriptor.
    if (descriptors)
        ::setrlimit(RLIMIT_NOFILE, &*descriptors);
    ::umask(022);
    if (::chdir("/") == 0)
        ::execve(argv[0], argv, envp);
    constexpr std::string_view kFailed = "healthcheckd: /bin/sh cannot be run\n";
    (void)!::write(2, kFailed.data(), kFailed.size());
    ::_exit(127);
}

// Runs in the child that becomes the shell. Ends the child when its parent has abandoned it.
void take_last_look(ShellCommand& command, const LookChannel& channel) {
    LastLook look;
    try {
        look = command.last_look();
    } catch (const std::exception& problem) {
        look.remark = problem.what();
    } catch (...) {
        look.remark = "an exception of an unknown type";
    }
    channel.tell(look.remark);
    if (!channel.take_word())
        ::_exit(127);
    for (auto& [name, value] : command.env)
        if (name == command.looked_up)
            value = look.value;
}

// `looks`: the channel for the result of last_look; nullptr: there is none to call.
Result<pid_t> fork_shell(ShellCommand& command, const UniqueFd& output, CommandGuard& guard,
                         const LookChannel* looks) {
    std::vector<std::string> arguments{"/bin/sh", "-c", command.text};
    const std::vector<char*> argv = pointers(arguments);
    const std::optional<rlimit> descriptors = descriptor_limit_at_start();
    const pid_t self = ::getpid();
    const pid_t shell = guard.fork();
    if (shell < 0)
        return system_error("fork");
    if (shell == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != self)
            ::_exit(127);
        if (looks != nullptr)
            take_last_look(command, *looks);
        std::vector<std::string> variables = environment(command);
        become_shell(output.get(), descriptors, argv.data(), pointers(variables).data());
    }
    return shell;
}

struct BegunShell {
    pid_t pid = -1;
    std::string remark;
};

Result<BegunShell> begin_shell(ShellCommand& command, const UniqueFd& output, CommandGuard& guard) {
    BegunShell begun;
    if (command.last_look) {
        auto channel = LookChannel::make();
        if (!channel)
            return channel.error();
        const auto shell = fork_shell(command, output, guard, &*channel);
        if (!shell)
            return shell.error();
        channel->only_listen();
        LookChannel::Outcome look = channel->wait(Clock::now() + command.look_limit, guard);
        if (look.begun)
            return BegunShell{*shell, std::move(look.remark)};
        guard.give_up(*shell);
        begun.remark = std::move(look.remark);
    }
    const auto shell = fork_shell(command, output, guard, nullptr);
    if (!shell)
        return shell.error();
    begun.pid = *shell;
    return begun;
}

// Starts a process that reads `output` to its end and outlives this one. If none can be started, the pipe
// stays open until this process ends.
void drain(UniqueFd output, Descendants& tree) {
    const pid_t child = ::_Fork();
    if (child == 0) {
        ::setsid();
        const int null = ::open("/dev/null", O_RDWR);
        if (::dup2(output.get(), 0) == 0 && ::dup2(null, 1) == 1 && ::dup2(null, 2) == 2) {
            const int flags = ::fcntl(0, F_GETFL);
            ::fcntl(0, F_SETFL, flags & ~O_NONBLOCK);
            ::close_range(3, ~0U, 0);
            set_default_dispositions();
            ::execl("/bin/cat", "cat", nullptr);
        }
        ::_exit(127);
    }
    if (child > 0)
        tree.spare(child);
    else
        (void)output.release();
}

// The shell while it runs.
class Run {
public:
    Run(pid_t shell, UniqueFd output, CommandGuard& guard)
        : shell_(shell), process_(open_pidfd(shell)), output_(std::move(output)), guard_(guard) {}

    // Reads output until the shell ends. Returns false when it still runs at `until`.
    bool shell_ends(Clock::time_point until) {
        return wait([this] { return status_.has_value(); }, until, milliseconds(60'000));
    }
    // As shell_ends(), for all descendants.
    bool all_end(Clock::time_point until) {
        return wait([this] { return guard_.tree().children().empty(); }, until, kTick);
    }
    void terminate_group() const { ::kill(-shell_, SIGTERM); }
    void kill_all() {
        if (!status_)
            ::kill(-shell_, SIGKILL);
        guard_.end_tree(shell_, &status_);
        shell_ends(Clock::now() + kLastResort);
    }
    // The shell's output is complete when it ends; but processes that it has left may go on writing, and
    // SIGPIPE would kill them if nobody read the pipe. So it is read for as long as it is open.
    void finish() {
        read_output();
        if (output_)
            drain(std::move(output_), guard_.tree());
    }

    const std::optional<int>& status() const { return status_; }
    std::string take_output() { return std::move(kept_); }

private:
    template <class Condition>
    bool wait(const Condition& condition, Clock::time_point until, milliseconds longest) {
        for (;;) {
            if (const auto status = guard_.tree().reap(status_ ? -1 : shell_))
                status_ = status;
            if (condition())
                return true;
            const auto now = Clock::now();
            if (now >= until)
                return false;
            std::array<pollfd, 3> ready{{{guard_.fd(), POLLIN, 0},
                                         {status_ ? -1 : process_.get(), POLLIN, 0},
                                         {output_ ? output_.get() : -1, POLLIN, 0}}};
            // Without a pidfd (old kernels), the shell's end is noticed at the next tick.
            const milliseconds step = process_ ? longest : kTick;
            if (::poll(ready.data(), ready.size(), poll_timeout(std::min(until, now + step))) < 0)
                continue;
            if (ready[0].revents != 0)
                guard_.obey();
            if (ready[2].revents != 0)
                read_output();
        }
    }

    // Reads what is there, one pipe buffer at most, so that deadlines are checked however much output comes.
    void read_output() {
        std::array<char, 65536> buffer;
        for (int i = 0; output_ && i < 2 * kPipeSize / static_cast<int>(buffer.size()); ++i) {
            const ssize_t n = ::read(output_.get(), buffer.data(), buffer.size());
            if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
            if (n <= 0) {
                output_.reset();
                return;
            }
            kept_.append(buffer.data(), std::min(static_cast<std::size_t>(n), kKeptOutput - kept_.size()));
        }
    }

    pid_t shell_;
    UniqueFd process_;
    UniqueFd output_;
    CommandGuard& guard_;
    std::optional<int> status_;
    std::string kept_;
};

}  // namespace

Result<CommandEnd> run_shell(ShellCommand command, CommandGuard& guard) {
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return system_error("prctl PR_SET_CHILD_SUBREAPER");
    auto pipe = make_pipe();
    if (!pipe)
        return pipe.error();
    if (auto set = set_nonblocking(pipe->first.get()); !set)
        return set.error();
    // May exceed a user's limit, which leaves it at 64 KiB.
    ::fcntl(pipe->first.get(), F_SETPIPE_SZ, kPipeSize);

    auto begun = begin_shell(command, pipe->second, guard);
    if (!begun)
        return begun.error();
    const auto start = Clock::now();
    const pid_t shell = begun->pid;
    pipe->second.reset();

    Run run(shell, std::move(pipe->first), guard);
    CommandEnd end;
    end.remark = std::move(begun->remark);
    if (!run.shell_ends(start + command.limit)) {
        run.terminate_group();
        const auto last = Clock::now() + command.grace;
        end.how = run.shell_ends(last) ? CommandEnd::How::terminated : CommandEnd::How::killed;
        if (!run.all_end(last))
            run.kill_all();
    } else {
        guard.leave_daemons(shell);
    }
    run.finish();
    if (run.status())
        end.status = *run.status();
    else
        end.how = CommandEnd::How::stuck;
    end.took = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
    end.output = run.take_output();
    return end;
}

std::size_t sweep_leftovers(Clock::time_point deadline, CommandGuard& guard) {
    const auto all_gone = [&](Clock::time_point until) {
        for (;;) {
            guard.tree().reap();
            if (guard.tree().children().empty())
                return true;
            const auto now = Clock::now();
            if (now >= until)
                return false;
            pollfd ready{guard.fd(), POLLIN, 0};
            if (::poll(&ready, 1, poll_timeout(std::min(until, now + kTick))) > 0)
                guard.obey();
        }
    };
    if (all_gone(deadline))
        return 0;
    const std::vector<pid_t> late = guard.tree().children();
    for (const pid_t pid : late)
        ::kill(pid, SIGTERM);
    if (all_gone(Clock::now() + ShellCommand{}.grace))
        return late.size();
    return std::max(late.size(), guard.end_tree());
}

}  // namespace healthcheckd::master
