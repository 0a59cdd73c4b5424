#include "master/action/guard.h"

#include <algorithm>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kHelperEndLimit{1000};  // for a helper to end after SIGKILL
constexpr milliseconds kHelperTick{50};        // interval of checking for helpers, whose end raises no event

sigset_t only_term() {
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    return term;
}

}  // namespace

CommandGuard::CommandGuard(Grouping grouping) {
    const sigset_t term = only_term();
    ::sigprocmask(SIG_BLOCK, &term, &old_mask_);
    term_.reset(::signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK));
    ::prctl(PR_GET_PDEATHSIG, &old_death_signal_);
    const pid_t parent = ::getppid();
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent)
        ::raise(SIGTERM);  // the parent died just before
    if (grouping == Grouping::own_cgroup)
        group_.emplace();
}

CommandGuard::~CommandGuard() {
    if (session_ != 0)
        leave_daemons(session_);
    group_.reset();
    ::prctl(PR_SET_PDEATHSIG, old_death_signal_);
    ::sigprocmask(SIG_SETMASK, &old_mask_, nullptr);
}

void CommandGuard::obey() {
    end_tree();
    group_.reset();
    const sigset_t term = only_term();
    ::signal(SIGTERM, SIG_DFL);
    ::sigprocmask(SIG_UNBLOCK, &term, nullptr);
    ::raise(SIGTERM);
    ::_exit(128 + SIGTERM);
}

// Not fork(): libuv's handler for it (pthread_atfork) would close two descriptors in the shell by number,
// those of its signal pipe in the master, which may be something else here.
pid_t CommandGuard::fork() const noexcept {
    return group_ ? group_->fork_into() : ::_Fork();
}

void CommandGuard::give_up(pid_t child) {
    ::kill(child, SIGKILL);
    tree_.spare(child);
    if (group_)
        group_->release(child);
}

void CommandGuard::leave_daemons(pid_t session) {
    session_ = session;
    tree_.keep_to_session(session);
    if (group_)
        group_->release_sessions_but(session);
}

std::size_t CommandGuard::end_tree(pid_t wanted, std::optional<int>* status) {
    if (session_ != 0)
        leave_daemons(session_);
    if (group_)
        group_->kill();
    return tree_.kill(Clock::now() + kHelperEndLimit, wanted, status);
}

bool CommandGuard::help(const std::function<void()>& work) {
    const pid_t self = ::getpid();
    const pid_t helper = ::_Fork();
    if (helper == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() == self)
            work();
        ::_exit(0);
    }
    if (helper > 0) {
        tree_.spare(helper);
        helpers_.push_back(helper);
    }
    return helper > 0;
}

void CommandGuard::wait_for_helpers(Clock::time_point deadline) {
    for (;;) {
        tree_.reap();
        std::erase_if(helpers_, [&](pid_t pid) { return !tree_.spares(pid); });
        if (helpers_.empty())
            return;
        if (Clock::now() >= deadline)
            break;
        pollfd term{term_.get(), POLLIN, 0};
        if (::poll(&term, 1, static_cast<int>(kHelperTick.count())) > 0)
            obey();
    }
    for (const pid_t pid : helpers_)
        ::kill(pid, SIGKILL);
}

}  // namespace healthcheckd::master
