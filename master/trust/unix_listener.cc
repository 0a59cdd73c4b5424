#include "master/trust/unix_listener.h"

#include "common/system/readable.h"
#include "common/system/unique_fd.h"

#include <array>
#include <chrono>
#include <cstring>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace healthcheckd::master {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kDiagLimit{1000};
constexpr int kMostUnixSockets = 100'000;
// TCP_LISTEN, which the kernel also uses for unix sockets (net/unix/diag.c).
constexpr std::uint32_t kListening = 10;

struct UnixDiagRequest {
    nlmsghdr header;
    unix_diag_req request;
};

// One socket in the answer.
struct Told {
    std::uint32_t socket = 0;
    std::optional<unix_diag_vfs> file;
    std::optional<std::uint32_t> uid;
};

Told told_by(const char* message, std::size_t size) {
    Told told;
    unix_diag_msg head{};
    if (size < sizeof head)
        return told;
    std::memcpy(&head, message, sizeof head);
    told.socket = head.udiag_ino;
    for (std::size_t at = NLMSG_ALIGN(sizeof head); at + sizeof(rtattr) <= size;) {
        rtattr attribute{};
        std::memcpy(&attribute, message + at, sizeof attribute);
        const std::size_t length = attribute.rta_len;
        if (length < sizeof attribute || at + length > size)
            break;
        const char* value = message + at + RTA_LENGTH(0);
        const std::size_t value_size = length - RTA_LENGTH(0);
        if (attribute.rta_type == UNIX_DIAG_VFS && value_size >= sizeof(unix_diag_vfs))
            std::memcpy(&told.file.emplace(), value, sizeof(unix_diag_vfs));
        if (attribute.rta_type == UNIX_DIAG_UID && value_size >= sizeof(std::uint32_t))
            std::memcpy(&told.uid.emplace(), value, sizeof(std::uint32_t));
        at += RTA_ALIGN(length);
    }
    return told;
}

bool ask(int socket) {
    UnixDiagRequest question{};
    question.header.nlmsg_len = sizeof question;
    question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    question.request.sdiag_family = AF_UNIX;
    question.request.udiag_states = 1u << kListening;
    question.request.udiag_show = UDIAG_SHOW_VFS | UDIAG_SHOW_UID;
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    return ::sendto(socket, &question, sizeof question, 0, reinterpret_cast<const sockaddr*>(&kernel),
                    sizeof kernel) == static_cast<ssize_t>(sizeof question);
}

}  // namespace

std::optional<UnixListener> listener_at(int file) {
    struct stat status {};
    const UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!socket || ::fstat(file, &status) != 0 || !ask(socket.get()))
        return std::nullopt;
    // The kernel returns its internal form of the device number (MKDEV), and 32 bits of the inode number.
    const std::uint32_t device = major(status.st_dev) << 20 | minor(status.st_dev);
    std::optional<UnixListener> found;
    const auto deadline = Clock::now() + kDiagLimit;
    for (int sockets = 0; sockets < kMostUnixSockets;) {
        if (!readable_by(socket.get(), deadline))
            return std::nullopt;
        alignas(nlmsghdr) std::array<char, 32768> buffer;
        const ssize_t n = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (n <= 0)
            return std::nullopt;
        for (std::size_t at = 0; at + sizeof(nlmsghdr) <= static_cast<std::size_t>(n);) {
            nlmsghdr header{};
            std::memcpy(&header, buffer.data() + at, sizeof header);
            if (header.nlmsg_type == NLMSG_DONE)
                return found;
            if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || header.nlmsg_len < NLMSG_HDRLEN ||
                at + header.nlmsg_len > static_cast<std::size_t>(n))
                return std::nullopt;
            const Told told = told_by(buffer.data() + at + NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN);
            ++sockets;
            if (told.file && told.uid && told.file->udiag_vfs_dev == device &&
                told.file->udiag_vfs_ino == static_cast<std::uint32_t>(status.st_ino)) {
                if (found)
                    return std::nullopt;
                found = UnixListener{told.socket, *told.uid};
            }
            at += NLMSG_ALIGN(header.nlmsg_len);
        }
    }
    return std::nullopt;
}

}  // namespace healthcheckd::master
