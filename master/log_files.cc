#include "master/log_files.h"

#include "common/channel.h"
#include "common/log.h"

#include <cstdio>

namespace healthcheckd::master {

namespace {

void rotate(const std::string& path, int backups) {
    const auto numbered = [&path](int n) {
        return n == 0 ? path : path + '.' + std::to_string(n);
    };
    ::unlink(numbered(backups).c_str());  // with no backups: the file itself
    for (int n = backups; n > 0; --n)
        std::rename(numbered(n - 1).c_str(), numbered(n).c_str());
}

}  // namespace

bool renew_logs(Spawner& spawner, std::vector<LogFile> files, int backups, std::function<void()> on_end) {
    ChildSpec spec;
    spec.title = "healthcheckd: log files";
    spec.limit = std::chrono::seconds(30);
    for (const LogFile& file : files)
        spec.extra_fds.push_back(file.control);
    spec.main = [files = std::move(files), backups](pid_t) {
        int control = kFirstExtraFd;
        for (const LogFile& file : files) {
            if (backups >= 0)
                rotate(file.path, backups);
            const UniqueFd fd(
                ::open(file.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
            if (fd)
                (void)send_packet(control, encode(NewLog{}).line(), fd.get());
            ++control;
        }
        return 0;
    };
    const auto child = spawner.spawn(spec, [on_end = std::move(on_end)](const ChildEnd&) { on_end(); });
    if (!child)
        log::warning("", "log files could not be renewed: {}", child.error().text());
    return static_cast<bool>(child);
}

}  // namespace healthcheckd::master
