#include "master/notice/spool_owner.h"

#include "common/sandbox/powers.h"
#include "common/system/unique_fd.h"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

constexpr int kMostFiles = 100'000;

struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};

// Returns whether errno is of another kind than that this user, the user namespace or the file system cannot do it.
bool is_an_error() {
    return errno != EPERM && errno != EINVAL;
}

Result<void> give_files(int folder, uid_t uid, gid_t gid) {
    const int copy = ::fcntl(folder, F_DUPFD_CLOEXEC, 0);
    const std::unique_ptr<DIR, CloseFolder> entries(copy < 0 ? nullptr : ::fdopendir(copy));
    for (int i = 0; entries && i < kMostFiles; ++i) {
        const dirent* entry = ::readdir(entries.get());
        if (entry == nullptr)
            break;
        struct stat file {};
        if (::fstatat(folder, entry->d_name, &file, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(file.st_mode) ||
            file.st_nlink != 1 || file.st_uid == uid)
            continue;
        if (::fchownat(folder, entry->d_name, uid, gid, AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT)
            return system_error(std::string("chown ") + entry->d_name);
    }
    return {};
}

}  // namespace

Result<bool> give_folder(const std::string& path, uid_t uid, gid_t gid) {
    const UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!folder || ::fstat(folder.get(), &status) != 0)
        return system_error("open " + path);
    const bool may_give = may_give_files();
    const bool closed = (status.st_mode & 07777) == 0700;
    // The folder first: its former owner then cannot replace a file. It becomes this user's for a moment, since only the
    // owner may change a mode without CAP_FOWNER.
    if (!closed && (may_give || status.st_uid == ::geteuid())) {
        if ((::fchown(folder.get(), ::geteuid(), ::getegid()) != 0 || ::fchmod(folder.get(), 0700) != 0) &&
            is_an_error())
            return system_error("chmod " + path);
    }
    if (may_give && (!closed || status.st_uid != uid)) {
        if (::fchown(folder.get(), uid, gid) != 0 && is_an_error())
            return system_error("chown " + path);
        if (::fstat(folder.get(), &status) != 0)
            return system_error("stat " + path);
    }
    if (!may_give || status.st_uid != uid)
        return false;
    // The files too: an earlier start may have been interrupted between folder and files.
    const auto given = give_files(folder.get(), uid, gid);
    return given ? Result<bool>(true) : given.error();
}

}  // namespace healthcheckd::master
