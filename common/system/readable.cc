#include "common/system/readable.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <poll.h>

namespace healthcheckd {

using Clock = std::chrono::steady_clock;

int poll_timeout(Clock::time_point deadline) {
    const std::int64_t left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

bool readable_by(int fd, Clock::time_point deadline) {
    for (;;) {
        pollfd ready{fd, POLLIN, 0};
        const int n = ::poll(&ready, 1, poll_timeout(deadline));
        if (n >= 0 || errno != EINTR)
            return n > 0;
    }
}

}  // namespace healthcheckd
