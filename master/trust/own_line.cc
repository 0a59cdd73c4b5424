#include "master/trust/own_line.h"

#include "common/proc/proc_stat.h"

#include <unistd.h>

namespace healthcheckd::master {

std::vector<ProcessId> own_line() {
    constexpr std::size_t kMost = 64;
    std::vector<ProcessId> line;
    for (pid_t pid = ::getpid(); pid > 1 && line.size() < kMost;) {
        const auto stat = read_proc_stat(pid);
        if (!stat)
            break;
        line.push_back({pid, stat->start_ticks});
        pid = stat->ppid;
    }
    return line;
}

}  // namespace healthcheckd::master
