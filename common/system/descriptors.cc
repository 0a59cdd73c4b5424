#include "common/system/descriptors.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace healthcheckd {

std::optional<rlimit> descriptor_limit_at_start() {
    static const std::optional<rlimit> first = [] {
        rlimit limit{};
        return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? std::optional(limit) : std::nullopt;
    }();
    return first;
}

void raise_descriptor_limit() {
    const std::optional<rlimit> first = descriptor_limit_at_start();
    if (!first)
        return;
    rlimit limit = *first;
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65536);
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

void fill_standard_descriptors() {
    int fd = 0;
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = ::open("/dev/null", O_RDWR);
    if (fd >= 0)
        ::close(fd);
}

}  // namespace healthcheckd
