#include "master/files/log_files.h"

#include "common/file/log_file.h"
#include "common/log/log.h"
#include "common/text/printable.h"
#include "common/wire/channel.h"

#include <array>
#include <filesystem>
#include <memory>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMostReason = 1000;

// `name` is in `folder`; neither call follows a symbolic link.
void rotate(int folder, const std::string& name, const Rotation& rotation) {
    struct stat status {};
    if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode) ||
        static_cast<std::uint64_t>(status.st_size) < rotation.from_bytes)
        return;
    const auto numbered = [&name](int n) {
        return n == 0 ? name : name + '.' + std::to_string(n);
    };
    ::unlinkat(folder, numbered(rotation.backups).c_str(), 0);  // without backups, the file itself
    for (int n = rotation.backups; n > 0; --n)
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

// The main function of the log child. Writes the first error to `reason`.
int renew_all(const std::vector<LogFile>& files, const std::optional<Rotation>& rotation, int reason) {
    int control = kFirstExtraFd;
    int status = 0;
    for (const LogFile& file : files) {
        const auto fd = renew(file.path, rotation);
        const auto ready = fd ? write_first_line(fd->get(), file) : Result<void>(fd.error());
        if (ready) {
            (void)send_packet(control, encode(NewLog{}).line(), fd->get());
        } else if (std::exchange(status, 1) == 0) {
            const std::string text = ready.error().text().substr(0, kMostReason);
            if (::pwrite(reason, text.data(), text.size(), 0) < 0)
                return 1;
        }
        ++control;
    }
    return status;
}

std::string text_of(int reason) {
    std::array<char, kMostReason> buffer;
    const ssize_t n = ::pread(reason, buffer.data(), buffer.size(), 0);
    return n > 0 ? printable({buffer.data(), static_cast<std::size_t>(n)}, kMostReason)
                 : "no reason is known";
}

}  // namespace

pid_t renew_logs(Spawner& spawner, std::vector<LogFile> files, std::optional<Rotation> rotation,
                 std::function<void(const std::string&)> on_end, Milliseconds limit) {
    ChildSpec spec(children::kLogFiles);
    spec.limit = limit;
    for (const LogFile& file : files)
        spec.extra_fds.push_back(file.control);
    auto reason = std::make_shared<UniqueFd>(::memfd_create("log files", MFD_CLOEXEC));
    if (*reason)
        spec.extra_fds.push_back(reason->get());
    spec.main = [files = std::move(files), rotation](pid_t) {
        return renew_all(files, rotation, kFirstExtraFd + static_cast<int>(files.size()));
    };
    const auto child = spawner.spawn(spec, [reason, on_end = std::move(on_end)](const ChildEnd& end) {
        on_end(end.clean() ? "" : WIFEXITED(end.wait_status) ? text_of(reason->get()) : end.text());
    });
    if (!child)
        log::warning("", "log files could not be renewed: {}", child.error().text());
    return child ? child->pid : 0;
}

}  // namespace healthcheckd::master
