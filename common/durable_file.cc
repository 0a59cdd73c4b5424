#include "common/durable_file.h"

#include "common/unique_fd.h"

#include <cstdio>
#include <sys/stat.h>

namespace healthcheckd {

namespace {

Result<void> sync_folder(const std::string& dir) {
    const UniqueFd folder(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::fsync(folder.get()) != 0)
        return system_error("fsync " + dir);
    return {};
}

Result<void> write_all(int fd, std::string_view text, const std::string& path) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n < 0)
            return system_error("write " + path);
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::fsync(fd) != 0)
        return system_error("fsync " + path);
    return {};
}

}  // namespace

Result<void> replace_file(const std::string& dir, const std::string& name, std::string_view text,
                          mode_t mode) {
    if (::mkdir(dir.c_str(), 0755) != 0 && errno != EEXIST)
        return system_error("mkdir " + dir);
    const std::string temporary = dir + "/." + name + ".new";
    const UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd)
        return system_error("open " + temporary);
    if (auto written = write_all(fd.get(), text, temporary); !written) {
        ::unlink(temporary.c_str());
        return written;
    }
    const std::string path = dir + '/' + name;
    if (std::rename(temporary.c_str(), path.c_str()) != 0)
        return system_error("rename to " + path);
    return sync_folder(dir);
}

Result<void> remove_file(const std::string& dir, const std::string& name) {
    const std::string path = dir + '/' + name;
    if (::unlink(path.c_str()) != 0)
        return errno == ENOENT ? Result<void>() : Result<void>(system_error("unlink " + path));
    return sync_folder(dir);
}

}  // namespace healthcheckd
