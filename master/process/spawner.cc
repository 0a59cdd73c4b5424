#include "master/process/spawner.h"

#include "common/log/log.h"
#include "common/system/process_title.h"
#include "common/text/printable.h"
#include "common/wire/channel.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>

namespace healthcheckd::master {

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKeepStderr = true;  // the sanitizers write there
#else
constexpr bool kKeepStderr = false;
#endif

// Limits the descriptors open at the same time for children being started.
constexpr std::size_t kBornTogether = 64;

// Moves `wanted` to kControlFd and up, opens /dev/null as 0 to 2, and closes all others.
bool arrange_descriptors(std::vector<int> wanted) {
    const int last = kControlFd + static_cast<int>(wanted.size());
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return false;
    wanted.push_back(null);
    // Moves all of them above the final numbers first, so that dup2() closes none that is still needed.
    for (int& fd : wanted) {
        fd = ::fcntl(fd, F_DUPFD_CLOEXEC, last + 1);
        if (fd < 0)
            return false;
    }
    const int null_copy = wanted.back();
    wanted.pop_back();
    for (int fd = 0; fd <= 2; ++fd)
        if (!(kKeepStderr && fd == 2) && ::dup2(null_copy, fd) < 0)
            return false;
    for (std::size_t i = 0; i < wanted.size(); ++i)
        if (::dup3(wanted[i], kControlFd + static_cast<int>(i), O_CLOEXEC) < 0)
            return false;
    return ::close_range(static_cast<unsigned>(last), ~0U, 0) == 0;
}

// Not inlined: its buffer of 4096 bytes would stay on the stack of every child.
[[gnu::noinline]] void say_broken(int report, const std::string& why) noexcept {
    (void)write_line(report, encode(Broken{printable(why)}).line());
}

[[noreturn]] void give_up(int report) noexcept {
    say_broken(report, system_error("its descriptors could not be arranged").text());
    ::_exit(120);
}

// Runs the child's main function; reports an exception that escapes it.
int child_main(const ChildSpec& spec, pid_t master) noexcept {
    std::string why = "an exception of an unknown type";
    try {
        return spec.main(master);
    } catch (const std::exception& error) {
        why = error.what();
    } catch (...) {
    }
    say_broken(kReportFd, why);
    return 1;
}

[[noreturn]] void child_life(const ChildSpec& spec, int control, int report, pid_t master) noexcept {
    // The loop's signal handlers would write into the master's own pipe, so they are reset while signals are
    // blocked.
    for (int number = 1; number < NSIG; ++number)
        ::signal(number, SIG_DFL);
    for (const int number : {SIGPIPE, SIGXFSZ})  // a closed pipe or a full file must return an error
        ::signal(number, SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    std::vector<int> fds{control, report};
    fds.insert(fds.end(), spec.extra_fds.begin(), spec.extra_fds.end());
    if (!arrange_descriptors(std::move(fds)))
        give_up(report);
    // Leaves the master's process group: a Ctrl-C, or a supervisord that signals the whole group, is
    // for the master to handle.
    ::setsid();
    set_process_title(spec.title);
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != master)
        ::_exit(121);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::_exit(child_main(spec, master));
}

Error fork_error(int code) {
    const Error error = system_error("fork", code);
    return code == EAGAIN
               ? Error{error.text() + " (RLIMIT_NPROC of the user or pids.max of the control group?)"}
               : error;
}

}  // namespace

bool ChildEnd::clean() const {
    return is_exit(0);
}

bool ChildEnd::is_exit(int status) const {
    return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == status;
}

std::string ChildEnd::text() const {
    if (WIFSIGNALED(wait_status))
        return fmt::format("killed by signal {} ({})", WTERMSIG(wait_status),
                           ::sigdescr_np(WTERMSIG(wait_status)));
    return fmt::format("exit status {}", WEXITSTATUS(wait_status));
}

Spawner::Spawner(Loop& loop) : reports_(loop), child_signal_(loop, SIGCHLD, [this] { reap(); }) {}

// The preparation for a fork, and its result.
struct Spawner::PreparedFork {
    void open();
    // The child's pid, or -errno. It writes to the stack only: a page of the heap that the master or the child
    // writes to is one that the child shares with nobody.
    pid_t fork(const ChildSpec& spec, const SecretStore* environment) const;
    // Notes what fork() returned: of children that are started together, after the last of them.
    void forked(pid_t pid);

    ChildProcess child;
    UniqueFd childs_control;
    UniqueFd childs_report;
    std::optional<Error> failure;
};

void Spawner::PreparedFork::open() {
    auto control = make_seqpacket_pair();
    auto report = control ? make_pipe() : control.error();
    if (!report) {
        failure = report.error();
        return;
    }
    for (const int fd : {control->first.get(), report->first.get()})
        if (const auto set = set_nonblocking(fd); !set)
            failure = set.error();
    child.control = std::move(control->first);
    child.report = std::move(report->first);
    childs_control = std::move(control->second);
    childs_report = std::move(report->second);
}

pid_t Spawner::PreparedFork::fork(const ChildSpec& spec, const SecretStore* environment) const {
    if (failure)
        return -failure->code;
    const pid_t master = ::getpid();
    const SecretStore nothing;
    const SecretStore::Exposure exposure(spec.secrets != nullptr ? *spec.secrets : nothing, spec.group);
    const SecretStore::Exposure variables(environment != nullptr ? *environment : nothing,
                                          spec.environment ? kEnvironment : SecretStore::kNobody);

    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before);
    // Not fork(): the child never uses libuv, whose handler (pthread_atfork) would only open pipes there. The
    // master has a single thread, so no other thread can hold a lock.
    const pid_t pid = ::_Fork();
    if (pid == 0)
        child_life(spec, childs_control.get(), childs_report.get(), master);
    const int fork_error = errno;
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    return pid < 0 ? -fork_error : pid;
}

void Spawner::PreparedFork::forked(pid_t pid) {
    if (!failure && pid < 0)
        failure = fork_error(-pid);
    child.pid = pid;
    childs_control.reset();
    childs_report.reset();
}

Result<ChildProcess> Spawner::enter(PreparedFork& prepared, const ChildSpec& spec,
                                    std::function<void(const ChildEnd&)> on_end) {
    if (prepared.failure)
        return *prepared.failure;
    const pid_t pid = prepared.child.pid;
    on_end_[pid] = std::move(on_end);
    if (spec.user)
        users_[pid] = spec.user;
    return std::move(prepared.child);
}

Result<ChildProcess> Spawner::spawn(const ChildSpec& spec, std::function<void(const ChildEnd&)> on_end) {
    PreparedFork prepared;
    prepared.open();
    prepared.forked(prepared.fork(spec, environment_));
    return enter(prepared, spec, std::move(on_end));
}

void Spawner::spawn_all(std::vector<SpawnRequest> requests) {
    std::vector<PreparedFork> forks(requests.size());
    // After the last allocation, so that what children take first lies at the heap's end.
    heap_plug_.fill();
    for (std::size_t first = 0; first < requests.size(); first += kBornTogether) {
        const std::size_t end = std::min(first + kBornTogether, requests.size());
        for (std::size_t i = first; i < end; ++i)
            forks[i].open();
        std::array<pid_t, kBornTogether> pids;
        for (std::size_t i = first; i < end; ++i)
            pids[i - first] = forks[i].fork(requests[i].spec, environment_);
        for (std::size_t i = first; i < end; ++i)
            forks[i].forked(pids[i - first]);
    }
    for (std::size_t i = 0; i < requests.size(); ++i)
        requests[i].on_spawned(enter(forks[i], requests[i].spec, std::move(requests[i].on_end)));
}

void Spawner::hide_environment() {
    environment_ = &master::hide_environment();
}

void Spawner::forget(pid_t pid) {
    const auto found = on_end_.find(pid);
    if (found != on_end_.end())
        found->second = nullptr;
}

void Spawner::on_end(pid_t pid, std::function<void(const ChildEnd&)> callback) {
    const auto found = on_end_.find(pid);
    if (found != on_end_.end())
        found->second = std::move(callback);
}

void Spawner::kill(pid_t pid) const {
    if (is_child(pid))
        ::kill(pid, SIGKILL);
}

void Spawner::terminate(pid_t pid) const {
    if (!is_child(pid))
        return;
    ::kill(pid, SIGTERM);
    ::kill(pid, SIGCONT);
}

void Spawner::reap() {
    // One SIGCHLD may stand for several children.
    for (;;) {
        int status = 0;
        const pid_t pid = ::waitpid(-1, &status, WNOHANG);
        if (pid <= 0)
            return;
        const auto found = on_end_.find(pid);
        if (found == on_end_.end()) {
            log::info("", "reaped process {}, a child that was not started here", pid);
            continue;
        }
        const auto callback = std::move(found->second);
        on_end_.erase(found);
        users_.erase(pid);
        if (callback)
            callback(ChildEnd{pid, status});
    }
}

void Spawner::end_all(Milliseconds limit) {
    for (auto& [pid, callback] : on_end_) {
        callback = nullptr;
        ::kill(pid, SIGKILL);
    }
    const TimePoint deadline = Clock::now() + limit;
    for (reap(); !on_end_.empty() && Clock::now() < deadline; reap())
        std::this_thread::sleep_for(Milliseconds(2));
}

}  // namespace healthcheckd::master
