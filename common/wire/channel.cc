#include "common/wire/channel.h"

#include "common/wire/line_codec.h"

#include <array>
#include <cstring>
#include <poll.h>

namespace healthcheckd {

namespace {

// Room for kMostAttached descriptors.
struct alignas(cmsghdr) Control {
    std::array<char, CMSG_SPACE(sizeof(int) * kMostAttached)> bytes{};
};

// Receives one packet, its descriptors into `attached`. Returns nullopt when the peer has closed its end.
Result<std::optional<std::string>> receive(int socket, int flags, std::span<UniqueFd> attached) {
    std::array<char, kMaxLine> buffer;
    iovec text{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    Control control;
    message.msg_control = control.bytes.data();
    message.msg_controllen = CMSG_SPACE(sizeof(int) * attached.size());
    const ssize_t n = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags);
    if (n < 0)
        return system_error("recvmsg");

    std::size_t descriptors = 0;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        // CMSG_SPACE rounds up, so that there can be one more than was asked for: it is closed.
        for (std::size_t at = 0; CMSG_LEN(at + sizeof(int)) <= header->cmsg_len; at += sizeof(int)) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + at, sizeof fd);
            UniqueFd owned(fd);
            if (descriptors < attached.size())
                attached[descriptors] = std::move(owned);
            ++descriptors;
        }
    }
    if (n == 0)
        return std::optional<std::string>{};
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || descriptors > attached.size())
        return Error{"recvmsg", EMSGSIZE};
    std::string line(buffer.data(), static_cast<std::size_t>(n));
    if (line.ends_with('\n'))
        line.pop_back();
    return std::optional<std::string>(std::move(line));
}

Result<std::optional<Packet>> packet_of(Result<std::optional<std::string>> line, UniqueFd attached) {
    if (!line)
        return line.error();
    if (!*line)
        return std::optional<Packet>{};
    return std::optional<Packet>(Packet{std::move(**line), std::move(attached)});
}

}  // namespace

Result<void> send_packet(int socket, std::string_view line, std::span<const int> attached) {
    if (line.empty() || attached.size() > kMostAttached)
        return Error{"sendmsg", EMSGSIZE};
    iovec text{const_cast<char*>(line.data()), line.size()};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    Control control;
    if (!attached.empty()) {
        message.msg_control = control.bytes.data();
        message.msg_controllen = CMSG_SPACE(attached.size_bytes());
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(attached.size_bytes());
        std::memcpy(CMSG_DATA(header), attached.data(), attached.size_bytes());
    }
    if (::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return system_error("sendmsg");
    return {};
}

Result<void> send_packet(int socket, std::string_view line, int attached) {
    return send_packet(socket, line, std::span<const int>(&attached, attached >= 0 ? 1 : 0));
}

Result<std::optional<Packet>> receive_packet_now(int socket) {
    UniqueFd attached;
    auto line = receive(socket, MSG_DONTWAIT, {&attached, 1});
    return packet_of(std::move(line), std::move(attached));
}

Result<std::optional<std::string>> receive_packet(int socket, std::chrono::milliseconds limit,
                                                  std::span<UniqueFd> attached) {
    using Clock = std::chrono::steady_clock;
    // Without a timeout, a blocking socket needs only the recvmsg(2) below; a non-blocking one needs poll(2).
    const bool endless = limit.count() < 0;
    if (endless) {
        auto line = receive(socket, 0, attached);
        if (line || (line.error().code != EAGAIN && line.error().code != EINTR))
            return line;
    }
    const Clock::time_point deadline = Clock::now() + limit;
    for (;;) {
        int wait_ms = -1;
        if (!endless) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
            wait_ms = static_cast<int>(std::max<std::int64_t>(0, left.count()));
        }
        pollfd ready{socket, POLLIN, 0};
        const int n = ::poll(&ready, 1, wait_ms);
        if (n == 0)
            return Error{"receive", ETIMEDOUT};
        if (n < 0 && errno != EINTR)
            return system_error("poll");
        if (n > 0) {
            auto line = receive(socket, MSG_DONTWAIT, attached);
            if (line || line.error().code != EAGAIN)
                return line;
        }
    }
}

Result<std::optional<Packet>> receive_packet(int socket, std::chrono::milliseconds limit) {
    UniqueFd attached;
    auto line = receive_packet(socket, limit, {&attached, 1});
    return packet_of(std::move(line), std::move(attached));
}

Result<void> write_line(int fd, std::string_view line) {
    while (!line.empty()) {
        const ssize_t n = ::write(fd, line.data(), line.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return system_error("write");
        line.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

}  // namespace healthcheckd
