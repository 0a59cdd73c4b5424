#include "common/wire/channel.h"

#include "common/wire/line_codec.h"

#include <array>
#include <cstring>
#include <poll.h>

namespace healthcheckd {

Result<void> send_packet(int socket, std::string_view line, int attached) {
    if (line.empty())
        return Error{"sendmsg", EMSGSIZE};
    iovec text{const_cast<char*>(line.data()), line.size()};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    if (attached >= 0) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &attached, sizeof attached);
    }
    if (::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return system_error("sendmsg");
    return {};
}

namespace {

Result<std::optional<Packet>> receive(int socket, int flags) {
    std::array<char, kMaxLine> buffer;
    iovec text{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t n = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags);
    if (n < 0)
        return system_error("recvmsg");

    Packet packet;
    std::size_t descriptors = 0;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        // CMSG_SPACE rounds up, so the buffer for one descriptor may hold a second one. Take ownership of
        // both.
        for (std::size_t at = 0; CMSG_LEN(at + sizeof(int)) <= header->cmsg_len; at += sizeof(int)) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + at, sizeof fd);
            packet.attached.reset(fd);
            ++descriptors;
        }
    }
    if (n == 0)
        return std::optional<Packet>{};
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || descriptors > 1)
        return Error{"recvmsg", EMSGSIZE};
    packet.line.assign(buffer.data(), static_cast<std::size_t>(n));
    if (packet.line.ends_with('\n'))
        packet.line.pop_back();
    return std::optional<Packet>(std::move(packet));
}

}  // namespace

Result<std::optional<Packet>> receive_packet_now(int socket) {
    return receive(socket, MSG_DONTWAIT);
}

Result<std::optional<Packet>> receive_packet(int socket, std::chrono::milliseconds limit) {
    using Clock = std::chrono::steady_clock;
    // Without a timeout, a blocking socket needs only the recvmsg(2) below; a non-blocking one needs poll(2).
    const bool endless = limit.count() < 0;
    if (endless) {
        auto packet = receive(socket, 0);
        if (packet || (packet.error().code != EAGAIN && packet.error().code != EINTR))
            return packet;
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
            auto packet = receive_packet_now(socket);
            if (packet || packet.error().code != EAGAIN)
                return packet;
        }
    }
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
