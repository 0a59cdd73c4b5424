#include "master/files/log_end.h"

#include "common/system/unique_fd.h"

#include <fcntl.h>
#include <grp.h>
#include <memory>
#include <spdlog/fmt/fmt.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kBytes = 2048;
constexpr uid_t kNobody = 65534;

// The child's result.
struct Shared {
    std::size_t size = 0;
    char text[kBytes];
};

// Changing the file system uid from 0 drops the capabilities that override permissions (capabilities(7)).
Result<void> become_nobody() {
    if (::geteuid() != 0)
        return {};
    if (::setgroups(0, nullptr) != 0)
        return system_error("setgroups");
    ::setfsgid(kNobody);
    ::setfsuid(kNobody);
    if (static_cast<uid_t>(::setfsuid(static_cast<uid_t>(-1))) != kNobody)
        return Error{"setfsuid", EPERM};
    return {};
}

Result<void> read_end(const std::string& path, Shared& shared) {
    if (const auto became = become_nobody(); !became)
        return became;
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0)
        return system_error(path);
    if (!S_ISREG(status.st_mode))
        return Error{path + " is no regular file"};
    const off_t begin = std::max<off_t>(0, status.st_size - static_cast<off_t>(kBytes));
    const ssize_t n = ::pread(file.get(), shared.text, kBytes, begin);
    if (n < 0)
        return system_error(path);
    shared.size = static_cast<std::size_t>(n);
    return {};
}

}  // namespace

Result<std::string> read_log_end(const std::string& path, const DiskWork& disk,
                                 std::chrono::milliseconds limit) {
    if (!path.starts_with('/'))
        return Error{"supervisord names no file for it"};
    void* const area =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED)
        return system_error("mmap");
    const auto unmap = [](Shared* at) {
        ::munmap(at, sizeof(Shared));
    };
    const std::unique_ptr<Shared, decltype(unmap)> shared(new (area) Shared, unmap);
    const auto done = disk.run(limit, [&] { return read_end(path, *shared); });
    if (!done)
        return done.error();
    if (!*done)
        return done->error();
    return std::string(shared->text, std::min(shared->size, kBytes));
}

}  // namespace healthcheckd::master
