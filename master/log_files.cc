#include "master/log_files.h"

#include "common/channel.h"
#include "common/log.h"

#include <cstdio>
#include <sys/stat.h>
#include <sys/wait.h>

namespace healthcheckd::master {

namespace {

void rotate(const std::string& path, const Rotation& rotation) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 ||
        static_cast<std::uint64_t>(status.st_size) < rotation.from_bytes)
        return;
    const auto numbered = [&path](int n) {
        return n == 0 ? path : path + '.' + std::to_string(n);
    };
    ::unlink(numbered(rotation.backups).c_str());  // with no backups: the file itself
    for (int n = rotation.backups; n > 0; --n)
        std::rename(numbered(n - 1).c_str(), numbered(n).c_str());
}

}  // namespace

bool renew_logs(Spawner& spawner, std::vector<LogFile> files, std::optional<Rotation> rotation,
                std::function<void()> on_end) {
    ChildSpec spec;
    spec.title = "healthcheckd: log files";
    spec.limit = std::chrono::seconds(30);
    for (const LogFile& file : files)
        spec.extra_fds.push_back(file.control);
    spec.main = [files = std::move(files), rotation](pid_t) {
        int control = kFirstExtraFd;
        int failure = 0;  // an errno value, as exit status
        for (const LogFile& file : files) {
            if (rotation)
                rotate(file.path, *rotation);
            const UniqueFd fd(
                ::open(file.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
            if (fd)
                (void)send_packet(control, encode(NewLog{}).line(), fd.get());
            else
                failure = errno;
            ++control;
        }
        return failure;
    };
    const auto child = spawner.spawn(spec, [on_end = std::move(on_end)](const ChildEnd& end) {
        if (!end.clean())
            log::warning("", "a log file could not be renewed: {}",
                         WIFEXITED(end.wait_status)
                             ? system_error("open", WEXITSTATUS(end.wait_status)).text()
                             : end.text());
        on_end();
    });
    if (!child)
        log::warning("", "log files could not be renewed: {}", child.error().text());
    return static_cast<bool>(child);
}

}  // namespace healthcheckd::master
