#include "common/pidfd.h"

#include <poll.h>
#include <sys/syscall.h>

namespace healthcheckd {

// glibc 2.36 has a wrapper, but only in headers that clash with <fcntl.h>.
UniqueFd open_pidfd(pid_t pid) {
    return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

bool has_ended(const UniqueFd& pidfd) {
    pollfd ready{pidfd.get(), POLLIN, 0};
    return ::poll(&ready, 1, 0) != 0;
}

}  // namespace healthcheckd
