#include "master/config/reading/file.h"

#include "common/system/unique_fd.h"
#include "master/config/reading/tree.h"

#include <cerrno>
#include <sys/stat.h>

namespace healthcheckd::master {

namespace {

// Returns why the file must not be trusted; "": it may.
std::string distrust(const struct stat& info) {
    if (!S_ISREG(info.st_mode))
        return "is not a regular file";
    if (info.st_uid != 0 && info.st_uid != ::geteuid())
        return "belongs to user " + std::to_string(info.st_uid) +
               ", neither root nor the user of healthcheckd; chown it";
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return "can be written by its group or by others, who could run commands by it; chmod go-w it";
    return "";
}

}  // namespace

std::optional<FileText> read_config_file(const std::string& path, Diagnostics& diagnostics) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0) {
        diagnostics.error({}, "", "cannot be read: " + std::string(::strerrordesc_np(errno)));
        return std::nullopt;
    }
    if (const std::string reason = distrust(info); !reason.empty()) {
        diagnostics.error({}, "", reason);
        return std::nullopt;
    }
    FileText file;
    file.readable_by_all = (info.st_mode & S_IROTH) != 0;
    // One byte more than allowed, so that check_bytes() notices a file that is too large.
    file.text.resize(kMaxFile + 1);
    std::size_t size = 0;
    while (size < file.text.size()) {
        const ssize_t n = ::read(fd.get(), file.text.data() + size, file.text.size() - size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            diagnostics.error({}, "", "cannot be read: " + std::string(::strerrordesc_np(errno)));
            return std::nullopt;
        }
        if (n == 0)
            break;
        size += static_cast<std::size_t>(n);
    }
    file.text.resize(size);
    return file;
}

}  // namespace healthcheckd::master
