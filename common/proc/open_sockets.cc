#include "common/proc/open_sockets.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <spdlog/fmt/fmt.h>
#include <string_view>
#include <unistd.h>

namespace healthcheckd {

namespace {

constexpr int kMostDescriptors = 70'000;

}  // namespace

Result<bool> holds_one_of(pid_t pid, const std::vector<std::string>& links) {
    const std::string folder = fmt::format("/proc/{}/fd", pid);
    const std::unique_ptr<DIR, int (*)(DIR*)> list(::opendir(folder.c_str()), &::closedir);
    if (!list)
        return system_error(folder);
    for (int n = 0; n < kMostDescriptors; ++n) {
        const dirent* entry = ::readdir(list.get());
        if (entry == nullptr)
            break;
        std::array<char, 64> target;
        const ssize_t size = ::readlinkat(::dirfd(list.get()), entry->d_name, target.data(), target.size());
        if (size < 0 && (errno == EACCES || errno == EPERM))
            return system_error(folder);
        if (size <= 0)  // closed in the meantime
            continue;
        if (std::ranges::find(links, std::string_view(target.data(), static_cast<std::size_t>(size))) !=
            links.end())
            return true;
    }
    return false;
}

Result<bool> holds_early_one_of(pid_t pid, const std::vector<std::string>& links) {
    constexpr int kEarly = 1024;
    for (int fd = 0; fd < kEarly; ++fd) {
        const std::string path = fmt::format("/proc/{}/fd/{}", pid, fd);
        std::array<char, 64> target;
        const ssize_t size = ::readlinkat(AT_FDCWD, path.c_str(), target.data(), target.size());
        if (size < 0 && (errno == EACCES || errno == EPERM))
            return system_error(path);
        const std::string_view text(target.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        if (!text.empty() && std::ranges::find(links, text) != links.end())
            return true;
    }
    return false;
}

}  // namespace healthcheckd
