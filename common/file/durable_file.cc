#include "common/file/durable_file.h"

#include "common/system/unique_fd.h"

#include <array>
#include <climits>
#include <cstdio>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace healthcheckd {

namespace {

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

// Returns the target of the symbolic link `path` if its owner is trusted. Holds the link open, so that the
// link examined is the one that is read.
Result<std::string> trusted_target(const std::string& path) {
    const UniqueFd link(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!link || ::fstat(link.get(), &status) != 0)
        return system_error("open " + path);
    if (!S_ISLNK(status.st_mode))
        return system_error("open " + path, ENOTDIR);
    if (status.st_uid != 0 && status.st_uid != ::geteuid())
        return Error{path + " is a symbolic link of another user", ELOOP};
    std::array<char, PATH_MAX> target;
    const ssize_t n = ::readlinkat(link.get(), "", target.data(), target.size());
    if (n <= 0)
        return system_error("readlink " + path);
    const std::filesystem::path to(std::string(target.data(), static_cast<std::size_t>(n)));
    return (std::filesystem::path(path).parent_path() / to).string();
}

Result<UniqueFd> open_folder(const std::string& dir) {
    UniqueFd folder(::open(dir.c_str(), kFolder | O_NOFOLLOW));
    if (folder)
        return folder;
    if (errno != ELOOP && errno != ENOTDIR)
        return system_error("open " + dir);
    const auto target = trusted_target(dir);
    if (!target)
        return target.error();
    folder.reset(::open(target->c_str(), kFolder));
    if (!folder)
        return system_error("open " + dir);
    return folder;
}

Result<UniqueFd> open_or_make_folder(const std::string& dir) {
    auto folder = open_folder(dir);
    if (folder || folder.error().code != ENOENT)
        return folder;
    if (auto made = make_folder(dir, 0755); !made)
        return made.error();
    return open_folder(dir);
}

Result<void> sync(int folder, const std::string& dir) {
    if (::fsync(folder) != 0 && errno != EINVAL && errno != ENOTSUP)
        return system_error("fsync " + dir);
    return {};
}

// In a folder that root has given to another user, new files belong to this user.
Result<void> give_to_owner_of(int folder, int fd, const std::string& path) {
    struct stat status {};
    if (::geteuid() != 0 || ::fstat(folder, &status) != 0 || status.st_uid == 0)
        return {};
    if (::fchown(fd, status.st_uid, status.st_gid) != 0)
        return system_error("chown " + path);
    return {};
}

enum class Sync { yes, no };

Result<void> write_all(int fd, std::string_view text, const std::string& path, Sync how) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n < 0)
            return system_error("write " + path);
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    if (how == Sync::yes && ::fsync(fd) != 0)
        return system_error("fsync " + path);
    return {};
}

// Creates a file that nobody else can have opened or linked: what has the name, left by a crash or set as
// a trap, is removed first.
UniqueFd create(int folder, const std::string& name, mode_t mode) {
    (void)::unlinkat(folder, name.c_str(), 0);
    return UniqueFd(
        ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
}

// Returns whether `name` is the file of `fd`.
bool is_file(int folder, const std::string& name, int fd) {
    struct stat there {
    }, ours{};
    return ::fstatat(folder, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 && ::fstat(fd, &ours) == 0 &&
           there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
}

// A killed writer of the same file still completes the system call in which the disk hung: it may create,
// remove or rename the temporary file, whose name is the same for all writers. `again`: that has happened.
Result<void> try_to_put(int folder, const std::string& dir, const std::string& name, std::string_view text,
                        mode_t mode, Sync how, bool& again) {
    const std::string temporary = '.' + name + ".new";
    const std::string path = dir + '/' + temporary;  // for errors
    const UniqueFd fd = create(folder, temporary, mode);
    again = !fd && errno == EEXIST;
    if (!fd)
        return system_error("open " + path);
    auto written = give_to_owner_of(folder, fd.get(), path);
    if (written)
        written = write_all(fd.get(), text, path, how);
    if (written && ::renameat(folder, temporary.c_str(), folder, name.c_str()) != 0) {
        const Error failure = system_error("rename to " + dir + '/' + name);
        again = failure.code == ENOENT;
        if (!again || !is_file(folder, name, fd.get()))
            written = failure;
    }
    if (!written)
        ::unlinkat(folder, temporary.c_str(), 0);
    return written;
}

Result<void> put_file(const std::string& dir, const std::string& name, std::string_view text, mode_t mode,
                      Sync how) {
    constexpr int kMostTries = 5;
    const auto folder = open_or_make_folder(dir);
    if (!folder)
        return folder.error();
    for (int tries = 1;; ++tries) {
        bool again = false;
        const auto written = try_to_put(folder->get(), dir, name, text, mode, how, again);
        if (!written && again && tries < kMostTries)
            continue;
        return written && how == Sync::yes ? sync(folder->get(), dir) : written;
    }
}

}  // namespace

Result<void> replace_file(const std::string& dir, const std::string& name, std::string_view text,
                          mode_t mode) {
    return put_file(dir, name, text, mode, Sync::yes);
}

Result<void> place_file(const std::string& dir, const std::string& name, std::string_view text, mode_t mode) {
    return put_file(dir, name, text, mode, Sync::no);
}

// A killed writer may complete its rename(2) after a later writer has replaced the file: neither call below then
// takes the new file for the old one.
Result<void> keep_file(const std::string& dir, const std::string& name, const std::string& as) {
    const auto folder = open_folder(dir);
    if (!folder)
        return folder.error().code == ENOENT ? Result<void>() : folder.error();
    const int at = folder->get();
    if (::renameat2(at, name.c_str(), at, as.c_str(), RENAME_NOREPLACE) == 0)
        return {};
    // NFS does not know the flag. replace_file() removes the first name of a file with two.
    if (errno == EINVAL && ::linkat(at, name.c_str(), at, as.c_str(), 0) == 0)
        return {};
    if (errno == EEXIST || errno == ENOENT)
        return {};
    return system_error("rename " + dir + '/' + name + " to " + as);
}

Result<void> remove_file(const std::string& dir, const std::string& name) {
    const auto folder = open_folder(dir);
    if (!folder)
        return folder.error().code == ENOENT ? Result<void>() : Result<void>(folder.error());
    if (::unlinkat(folder->get(), name.c_str(), 0) != 0)
        return errno == ENOENT ? Result<void>() : Result<void>(system_error("unlink " + dir + '/' + name));
    return sync(folder->get(), dir);
}

Result<void> make_folder(const std::string& path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) != 0)
        return errno == EEXIST ? Result<void>() : Result<void>(system_error("mkdir " + path));
    const std::string parent = std::filesystem::path(path).parent_path();
    // A folder that can be written but not read cannot be synced.
    const UniqueFd folder(::open(parent.empty() ? "." : parent.c_str(), kFolder));
    return folder ? sync(folder.get(), parent) : Result<void>();
}

Result<void> sync_folder(const std::string& dir) {
    const auto folder = open_folder(dir);
    if (!folder)
        return folder.error();
    return sync(folder->get(), dir);
}

}  // namespace healthcheckd
