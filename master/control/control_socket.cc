#include "master/control/control_socket.h"

#include "common/system/unix_socket.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>

namespace healthcheckd::master {

namespace {

constexpr int kBacklog = 64;

// Makes room for a socket at `path`: removes a leftover.
Result<void> clear_place(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0)
        return errno == ENOENT ? Result<void>{} : system_error(path);
    if (!S_ISSOCK(status.st_mode))
        return Error{path + " is there and is no socket"};
    const UniqueFd probe = make_unix_socket();
    if (!probe)
        return system_error("socket");
    const int error = connect_unix(probe, path);
    if (somebody_listens(error))
        return Error{"another healthcheckd answers at " + path};
    if (error != ECONNREFUSED && error != ENOENT)  // such as EPROTOTYPE: a datagram socket that is in use
        return system_error("the socket at " + path + " is in the way", error);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return system_error("unlink " + path);
    return {};
}

// Where a socket for `path` waits until it listens. Removed at the end, with the socket if it is still there.
class WaitingFolder {
public:
    explicit WaitingFolder(const std::string& path) {
        const std::filesystem::path place(path);
        folder_ = place.parent_path() / ".healthcheckd-XXXXXX";
        if (::mkdtemp(folder_.data()) == nullptr) {
            folder_.clear();
            return;
        }
        fd_.reset(::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        // ss(8) shows this path for as long as the socket lives, so it tells which socket it is. If it is too
        // long for a socket's address, a short name leads to the folder.
        socket_ = place.filename();
        bound_ = folder_ + '/' + socket_;
        if (bound_.size() > kMostSocketPathBytes) {
            socket_ = "s";
            bound_ = fmt::format("/proc/self/fd/{}/{}", fd_.get(), socket_);
        }
    }
    ~WaitingFolder() {
        if (fd_)
            ::unlinkat(fd_.get(), socket_.c_str(), 0);
        if (!folder_.empty())
            ::rmdir(folder_.c_str());
    }
    WaitingFolder(const WaitingFolder&) = delete;
    WaitingFolder& operator=(const WaitingFolder&) = delete;

    // Returns whether it is usable; errno says why it is not.
    explicit operator bool() const { return static_cast<bool>(fd_); }

    bool bind(const UniqueFd& socket) const {
        const sockaddr_un address = unix_address(bound_);
        const mode_t before = ::umask(0177);  // mode 0600, for whoever sees the socket at its place
        const int failed =
            ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0
                                                                                                   : errno;
        ::umask(before);
        errno = failed;
        return failed == 0;
    }
    bool look(struct stat& status) const {
        return ::fstatat(fd_.get(), socket_.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    }
    // Replaces nothing, where the file system can promise that.
    bool move_to(const std::string& path) const {
        if (::renameat2(fd_.get(), socket_.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0)
            return true;
        return errno == EINVAL && ::renameat(fd_.get(), socket_.c_str(), AT_FDCWD, path.c_str()) == 0;
    }

private:
    std::string folder_;
    std::string socket_;  // its name in the folder
    std::string bound_;   // its path for bind(2)
    UniqueFd fd_;
};

}  // namespace

Result<std::unique_ptr<ControlSocket>> ControlSocket::listen_at(const std::string& path) {
    if (path.size() > kMostSocketPathBytes)
        return system_error("listen " + path, ENAMETOOLONG);
    if (const auto cleared = clear_place(path); !cleared)
        return cleared.error();
    const WaitingFolder waiting(path);
    if (!waiting)
        return system_error("a folder beside " + path);
    UniqueFd socket = make_unix_socket();
    if (!socket)
        return system_error("socket");
    struct stat file {};
    if (!waiting.bind(socket) || !waiting.look(file))
        return system_error("bind a socket for " + path);
    if (::listen(socket.get(), kBacklog) != 0 || !waiting.move_to(path))
        return system_error("listen " + path);
    return std::unique_ptr<ControlSocket>(new ControlSocket(path, std::move(socket), file));
}

ControlSocket::~ControlSocket() {
    struct stat there {};
    if (::lstat(path_.c_str(), &there) == 0 && there.st_dev == device_ && there.st_ino == inode_)
        ::unlink(path_.c_str());
}

}  // namespace healthcheckd::master
