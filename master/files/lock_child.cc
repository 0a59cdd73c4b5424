#include "master/files/lock_child.h"

#include "common/file/durable_file.h"
#include "common/wire/channel.h"
#include "common/wire/protocol.h"

#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>

namespace healthcheckd::master {

namespace {

constexpr mode_t kFolderMode = 0755;

Result<UniqueFd> open_lock(const std::string& path) {
    if (const auto made = make_folder(std::filesystem::path(path).parent_path().string(), kFolderMode); !made)
        return made.error();
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (!file)
        return system_error(path);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
        return Error{path + " is no regular file"};
    return file;
}

}  // namespace

int run_open_locks(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
        const auto file = open_lock(path);
        const LockLine line{file ? "" : file.error().text()};
        if (!send_packet(kControlFd, encode(line).line(), file ? file->get() : -1))
            return 1;
    }
    return 0;
}

}  // namespace healthcheckd::master
