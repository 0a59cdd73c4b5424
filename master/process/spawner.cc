#include "master/process/spawner.h"

#include "common/log/log.h"
#include "master/nursery/child_life.h"
#include "master/nursery/nursery_child.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <spdlog/fmt/fmt.h>
#include <sys/wait.h>
#include <thread>

namespace healthcheckd::master {

namespace {

Error fork_error(int code) {
    if (code == ENAMETOOLONG)
        return Error{"the names of the cat and of its program are too long"};
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
    explicit PreparedFork(const ChildSpec& spec);
    // The child's pid, or -errno.
    pid_t fork(const SecretStore* environment) const;
    // Notes what fork() returned.
    void forked(pid_t pid);

    const ChildSpec& spec;
    ChildProcess child;
    UniqueFd childs_control;
    UniqueFd childs_report;
    std::optional<Error> failure;
};

Spawner::PreparedFork::PreparedFork(const ChildSpec& child_spec) : spec(child_spec) {
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

pid_t Spawner::PreparedFork::fork(const SecretStore* environment) const {
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
    if (pid == 0) {
        std::vector<int> fds{childs_control.get(), childs_report.get()};
        fds.insert(fds.end(), spec.extra_fds.begin(), spec.extra_fds.end());
        live_as_child(spec.title, std::move(fds), master, Session::own, [&] { return spec.main(master); });
    }
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

Result<ChildProcess> Spawner::enter(PreparedFork& prepared, std::function<void(const ChildEnd&)> on_end) {
    if (prepared.failure)
        return *prepared.failure;
    const pid_t pid = prepared.child.pid;
    on_end_[pid] = std::move(on_end);
    if (prepared.spec.user)
        users_[pid] = prepared.spec.user;
    return std::move(prepared.child);
}

Result<ChildProcess> Spawner::spawn(const ChildSpec& spec, std::function<void(const ChildEnd&)> on_end) {
    PreparedFork prepared(spec);
    if (spec.birth)
        fork_workers({&prepared, 1});
    else
        prepared.forked(prepared.fork(environment_));
    return enter(prepared, std::move(on_end));
}

Result<void> Spawner::open_nursery() {
    if (nursery_)
        return {};
    std::erase_if(lost_nurseries_, [this](pid_t pid) { return !is_child(pid); });
    if (lost_nurseries_.size() >= kMostLostNurseries)
        return Error{fmt::format("{} processes that should fork it hang in the kernel and cannot be ended",
                                 lost_nurseries_.size())};
    const TimePoint now = Clock::now();
    if (now < next_nursery_)
        return Error{fmt::format("the process that should fork it has failed; there is another in {} s",
                                 std::chrono::ceil<std::chrono::seconds>(next_nursery_ - now).count())};
    ChildSpec spec(children::kNursery);
    spec.main = [worker_main = worker_main_](pid_t master) {
        return run_nursery(master, worker_main);
    };
    nursery_backoff_.on_start(now);
    auto started = spawn(spec, [this](const ChildEnd& end) {
        if (!nursery_ || nursery_->pid != end.pid)
            return;
        log::error("", "[nursery] ended: {}; the next worker needs another one", end.text());
        lose_nursery();
    });
    if (!started)
        return started.error();
    nursery_.emplace(
        NurseryProcess{started->pid, std::move(started->report), Nursery(std::move(started->control))});
    return {};
}

void Spawner::lose_nursery() {
    lost_nurseries_.push_back(nursery_->pid);
    nursery_.reset();
    next_nursery_ = Clock::now() + nursery_backoff_.on_end(Clock::now());
}

Result<std::vector<pid_t>> Spawner::order(std::span<const Nursery::Order> orders) {
    if (auto opened = open_nursery(); !opened)
        return opened.error();
    auto pids = nursery_->nursery.fork(orders);
    if (pids)
        return pids;
    if (nursery_->nursery.lost()) {
        log::error("", "[nursery] is ended: {}; the next worker needs another one", pids.error().text());
        kill(nursery_->pid);
        lose_nursery();
    }
    return Error{"the process that forks it: " + pids.error().text()};
}

// Has the nursery fork them together.
void Spawner::fork_workers(std::span<PreparedFork> forks) {
    std::vector<Nursery::Order> orders;
    std::vector<PreparedFork*> ordered;
    for (PreparedFork& each : forks) {
        if (each.failure)
            continue;
        orders.push_back({*each.spec.birth, each.spec.title, each.childs_control.get(),
                          each.childs_report.get(),
                          each.spec.extra_fds.empty() ? -1 : each.spec.extra_fds.front(), *each.spec.user});
        ordered.push_back(&each);
    }
    const auto pids = order(orders);
    for (std::size_t i = 0; i < ordered.size(); ++i) {
        if (!pids)
            ordered[i]->failure = pids.error();
        ordered[i]->forked(pids ? (*pids)[i] : 0);
    }
}

void Spawner::spawn_all(std::vector<SpawnRequest> requests) {
    std::vector<PreparedFork> forks;
    for (std::size_t first = 0; first < requests.size(); first += Nursery::kMostTogether) {
        const auto group =
            std::span(requests).subspan(first, std::min(Nursery::kMostTogether, requests.size() - first));
        forks.clear();
        for (const SpawnRequest& request : group)
            forks.emplace_back(request.spec);
        fork_workers(forks);
        for (std::size_t i = 0; i < group.size(); ++i)
            group[i].on_spawned(enter(forks[i], std::move(group[i].on_end)));
    }
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
