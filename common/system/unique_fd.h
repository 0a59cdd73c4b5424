// Ownership of file descriptors. Every process.
#pragma once

#include "common/system/result.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace healthcheckd {

// Owns one descriptor and closes it. Has no conversion to int, so that handing the descriptor out takes an
// explicit get().
class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        if (this != &other)
            reset(other.release());
        return *this;
    }
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;
    ~UniqueFd() { reset(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

    // Returns the descriptor without closing it; the object is empty afterwards.
    int release() { return std::exchange(fd_, -1); }

    // Closes the descriptor and takes `fd` instead. Does not repeat close(2) on EINTR: Linux has freed the
    // descriptor by then.
    void reset(int fd = -1) {
        if (fd_ >= 0)
            ::close(fd_);
        fd_ = fd;
    }

private:
    int fd_ = -1;
};

struct FdPair {
    UniqueFd first;   // read end, or the master's end
    UniqueFd second;  // write end, or the child's end
};

// A pipe, both ends close-on-exec.
inline Result<FdPair> make_pipe() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0)
        return system_error("pipe2");
    return FdPair{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// A connected pair of unix sockets that preserve message boundaries (SOCK_SEQPACKET), close-on-exec.
inline Result<FdPair> make_seqpacket_pair() {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
        return system_error("socketpair");
    return FdPair{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

inline Result<void> set_nonblocking(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return system_error("fcntl O_NONBLOCK");
    return {};
}

}  // namespace healthcheckd
