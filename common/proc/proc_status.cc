#include "common/proc/proc_status.h"

#include <fstream>

namespace healthcheckd {

std::optional<std::string> proc_status(pid_t pid, std::string_view name) {
    constexpr int kMostLines = 100;
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    const std::string key = std::string(name) + ':';
    std::string line;
    for (int n = 0; n < kMostLines && std::getline(status, line); ++n)
        if (line.starts_with(key))
            return line.substr(key.size());
    return std::nullopt;
}

}  // namespace healthcheckd
