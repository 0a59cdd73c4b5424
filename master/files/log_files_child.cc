#include "master/files/log_files_child.h"

#include "common/file/log_file.h"
#include "common/text/printable.h"
#include "common/wire/channel.h"
#include "common/wire/protocol_worker.h"
#include "common/wire/say.h"

#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace healthcheckd::master {

namespace {

// `name` is in `folder`; no call follows a symbolic link.
void rotate(int folder, const std::string& name, const Rotation& rotation) {
    struct stat status {};
    if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode) ||
        static_cast<std::uint64_t>(status.st_size) < rotation.from_bytes)
        return;
    const auto numbered = [&name](int n) {
        return n == 0 ? name : name + '.' + std::to_string(n);
    };
    if (rotation.backups == 0) {
        ::unlinkat(folder, name.c_str(), 0);
        return;
    }
    // A rotation that was killed left a gap: files after it need not move. Without one, the oldest file is replaced.
    int gap = 1;
    while (gap < rotation.backups &&
           ::fstatat(folder, numbered(gap).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
        ++gap;
    for (int n = gap; n > 0; --n)
        ::renameat(folder, numbered(n - 1).c_str(), folder, numbered(n).c_str());
}

Result<UniqueFd> renew(const std::string& path, const std::optional<Rotation>& rotation) {
    const auto folder = open_log_folder(path, false);
    if (!folder)
        return folder.error();
    if (rotation)
        rotate(folder->fd.get(), std::filesystem::path(path).filename().string(), *rotation);
    return open_log_file(*folder, path);
}

Result<void> write_first_line(int fd, const LogFile& file) {
    const std::string& line = file.first_line;
    if (line.empty() || ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()))
        return {};
    return system_error("write " + file.path);
}

}  // namespace

int run_renew_logs(const std::vector<LogFile>& files, const std::optional<Rotation>& rotation) {
    int control = kFirstExtraFd;
    int status = 0;
    for (const LogFile& file : files) {
        const auto fd = renew(file.path, rotation);
        const auto ready = fd ? write_first_line(fd->get(), file) : Result<void>(fd.error());
        if (ready) {
            (void)send_packet(control, encode(NewLog{}).line(), fd->get());
        } else if (std::exchange(status, 1) == 0) {
            say(Broken{printable(ready.error().text())});
        }
        ++control;
    }
    return status;
}

}  // namespace healthcheckd::master
