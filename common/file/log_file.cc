#include "common/file/log_file.h"

#include "common/text/printable.h"

#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>

namespace healthcheckd {

Result<WalkedFolder> open_log_folder(const std::string& path, bool create) {
    return open_folder(std::filesystem::path(path).parent_path().string(),
                       {.trusted_links = true, .create = create, .self = ::geteuid()});
}

Result<UniqueFd> open_log_file(const WalkedFolder& folder, const std::string& path) {
    const std::string name = std::filesystem::path(path).filename().string();
    const std::string shown = printable(path);
    UniqueFd file(::openat(folder.fd.get(), name.c_str(),
                           O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
                           0640));
    if (!file && errno == ELOOP)
        return Error{shown + " is a symbolic link"};
    if (!file && (errno == ENXIO || errno == EISDIR))
        return Error{shown + " is not a regular file"};
    if (!file)
        return system_error("open " + shown);
    // Both checks are needed: a hard link that is created before the open and removed before fstat(2) is
    // noticed by fstatat(2), in which the file must have this single name.
    struct stat opened {};
    struct stat named {};
    if (::fstat(file.get(), &opened) != 0 ||
        ::fstatat(folder.fd.get(), name.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0)
        return system_error("stat " + shown);
    if (!S_ISREG(opened.st_mode))
        return Error{shown + " is not a regular file"};
    if (opened.st_dev != named.st_dev || opened.st_ino != named.st_ino)
        return Error{shown + " was replaced while it was opened"};
    if (named.st_nlink != 1)
        return Error{shown + " has another name beside this one (hard link)"};
    return file;
}

}  // namespace healthcheckd
