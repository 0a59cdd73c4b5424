#include "common/durable_file.h"

#include "common/unique_fd.h"

#include <cstdio>
#include <sys/stat.h>
#include <unistd.h>

namespace healthcheckd {

namespace {

Result<void> sync_folder(const std::string& dir) {
    const UniqueFd folder(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::fsync(folder.get()) != 0)
        return system_error("fsync " + dir);
    return {};
}

// A folder that root has given to another user holds that user's files.
Result<void> give_to_owner_of(const std::string& dir, int fd, const std::string& path) {
    struct stat folder {};
    if (::geteuid() != 0 || ::stat(dir.c_str(), &folder) != 0 || folder.st_uid == 0)
        return {};
    if (::fchown(fd, folder.st_uid, folder.st_gid) != 0)
        return system_error("chown " + path);
    return {};
}

enum class Sync { yes, no };

Result<void> write_all(int fd, std::string_view text, const std::string& path, Sync sync) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n < 0)
            return system_error("write " + path);
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    if (sync == Sync::yes && ::fsync(fd) != 0)
        return system_error("fsync " + path);
    return {};
}

Result<void> put_file(const std::string& dir, const std::string& name, std::string_view text, mode_t mode,
                      Sync sync) {
    if (::mkdir(dir.c_str(), 0755) != 0 && errno != EEXIST)
        return system_error("mkdir " + dir);
    const std::string temporary = dir + "/." + name + ".new";
    const UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd)
        return system_error("open " + temporary);
    auto written = give_to_owner_of(dir, fd.get(), temporary);
    if (written)
        written = write_all(fd.get(), text, temporary, sync);
    if (!written) {
        ::unlink(temporary.c_str());
        return written;
    }
    const std::string path = dir + '/' + name;
    if (std::rename(temporary.c_str(), path.c_str()) != 0)
        return system_error("rename to " + path);
    return sync == Sync::yes ? sync_folder(dir) : Result<void>();
}

}  // namespace

Result<void> replace_file(const std::string& dir, const std::string& name, std::string_view text,
                          mode_t mode) {
    return put_file(dir, name, text, mode, Sync::yes);
}

Result<void> place_file(const std::string& dir, const std::string& name, std::string_view text, mode_t mode) {
    return put_file(dir, name, text, mode, Sync::no);
}

Result<void> remove_file(const std::string& dir, const std::string& name) {
    const std::string path = dir + '/' + name;
    if (::unlink(path.c_str()) != 0)
        return errno == ENOENT ? Result<void>() : Result<void>(system_error("unlink " + path));
    return sync_folder(dir);
}

}  // namespace healthcheckd
