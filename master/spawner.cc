#include "master/spawner.h"

#include "common/channel.h"
#include "common/log.h"
#include "common/process_title.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <spdlog/fmt/fmt.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>

namespace healthcheckd::master {

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKeepStderr = true;  // where the sanitizers write
#else
constexpr bool kKeepStderr = false;
#endif

// Puts `wanted` at kControlFd and up, /dev/null at 0 to 2, and closes the rest.
bool arrange_descriptors(std::vector<int> wanted) {
    const int last = kControlFd + static_cast<int>(wanted.size());
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return false;
    wanted.push_back(null);
    // First out of the way of all final numbers, so that no dup2() closes one that is still needed.
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

[[noreturn]] void child_life(const ChildSpec& spec, std::vector<int> fds, pid_t master) noexcept {
    // The loop's signal handlers would write into the master's own pipe: they go first, while signals are
    // blocked.
    for (int number = 1; number < NSIG; ++number)
        ::signal(number, SIG_DFL);
    for (const int number : {SIGPIPE, SIGXFSZ})  // a lost reader, a full file: an error code, not a death
        ::signal(number, SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    const int report = fds[1];
    if (!arrange_descriptors(std::move(fds))) {
        (void)write_line(report,
                         encode(Broken{system_error("its descriptors could not be arranged").text()}).line());
        ::_exit(120);
    }
    // Out of the master's group: a Ctrl-C, or a supervisord that signals the whole group, is for the master
    // to answer.
    ::setsid();
    set_process_title(spec.title);
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != master)
        ::_exit(121);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::_exit(spec.main(master));
}

}  // namespace

bool ChildEnd::clean() const {
    return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
}

std::string ChildEnd::text() const {
    if (WIFSIGNALED(wait_status))
        return fmt::format("killed by signal {} ({})", WTERMSIG(wait_status),
                           ::sigdescr_np(WTERMSIG(wait_status)));
    return fmt::format("exit status {}", WEXITSTATUS(wait_status));
}

Spawner::Spawner(Loop& loop) : loop_(loop), child_signal_(loop, SIGCHLD, [this] { reap(); }) {}

Result<ChildProcess> Spawner::spawn(const ChildSpec& spec, std::function<void(const ChildEnd&)> on_end) {
    auto control = make_seqpacket_pair();
    if (!control)
        return control.error();
    auto report = make_pipe();
    if (!report)
        return report.error();
    for (const int fd : {control->first.get(), report->first.get()})
        if (const auto set = set_nonblocking(fd); !set)
            return set.error();

    std::vector<int> fds{control->second.get(), report->second.get()};
    fds.insert(fds.end(), spec.extra_fds.begin(), spec.extra_fds.end());
    const pid_t master = ::getpid();
    const SecretStore nothing;
    const SecretStore::Exposure exposure(spec.secrets != nullptr ? *spec.secrets : nothing, spec.group);

    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before);
    // Not fork(): the child never enters libuv, whose handler (pthread_atfork) would only open pipes there.
    // The master has one thread, so no lock is held by another one.
    const pid_t pid = ::_Fork();
    if (pid == 0)
        child_life(spec, std::move(fds), master);
    const int fork_error = errno;
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0)
        return system_error("fork", fork_error);
    on_end_[pid] = std::move(on_end);
    if (spec.limit > Milliseconds(0))
        limits_.try_emplace(pid, loop_, [this, pid] { kill(pid); }).first->second.start(spec.limit);
    return ChildProcess{pid, std::move(control->first), std::move(report->first)};
}

void Spawner::forget(pid_t pid) {
    const auto found = on_end_.find(pid);
    if (found != on_end_.end())
        found->second = nullptr;
}

void Spawner::kill(pid_t pid) const {
    if (is_child(pid))
        ::kill(pid, SIGKILL);
}

void Spawner::reap() {
    // One SIGCHLD may stand for many ends.
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
        limits_.erase(pid);
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
