#include "common/system/pidfd.h"

#include "common/system/readable.h"

#include <algorithm>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace healthcheckd {

// glibc 2.36 has a wrapper, but only in headers that clash with <fcntl.h>.
UniqueFd open_pidfd(pid_t pid) {
    return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

bool has_ended(const UniqueFd& pidfd) {
    pollfd ready{pidfd.get(), POLLIN, 0};
    return ::poll(&ready, 1, 0) != 0;
}

bool reap_within(pid_t child, std::chrono::milliseconds limit) {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds kTick{2};  // without a pidfd
    const auto deadline = Clock::now() + limit;
    const UniqueFd process = open_pidfd(child);
    for (;;) {
        if (::waitpid(child, nullptr, WNOHANG) != 0)
            return true;
        const auto now = Clock::now();
        if (now >= deadline)
            return false;
        pollfd ready{process.get(), POLLIN, 0};
        (void)::poll(&ready, 1, poll_timeout(process ? deadline : std::min(deadline, now + kTick)));
    }
}

}  // namespace healthcheckd
