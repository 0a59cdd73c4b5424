#include "master/trust/tcp_owner.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace healthcheckd::master {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kFirstPause{1};
constexpr std::chrono::milliseconds kMostPause{50};
constexpr int kAnswerLimitMs = 1000;
// Connection states (the kernel's net/tcp_states.h).
constexpr std::uint8_t kEstablished = 1;
constexpr std::uint8_t kSynReceived = 3;

// An IPv4-mapped IPv6 address becomes IPv4, as in the kernel's table.
TcpEnd parse(const std::string& text, std::uint16_t port) {
    TcpEnd end;
    end.port = port;
    if (::inet_pton(AF_INET, text.c_str(), end.bytes.data()) == 1) {
        end.family = AF_INET;
        return end;
    }
    const std::string plain = text.substr(0, text.find('%'));
    in6_addr six{};
    if (::inet_pton(AF_INET6, plain.c_str(), &six) != 1)
        return end;
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&six);
    end.family = mapped ? AF_INET : AF_INET6;
    std::copy(std::begin(six.s6_addr) + (mapped ? 12 : 0), std::end(six.s6_addr), end.bytes.begin());
    return end;
}

struct Question {
    nlmsghdr header;
    inet_diag_req_v2 request;
};

// The query for the socket whose own end is `own`; the kernel returns it, or a listener that would accept it.
Question question(const TcpEnd& own, const TcpEnd& other) {
    Question q{};
    q.header.nlmsg_len = sizeof q;
    q.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    q.header.nlmsg_flags = NLM_F_REQUEST;
    q.request.sdiag_family = static_cast<std::uint8_t>(own.family);
    q.request.sdiag_protocol = IPPROTO_TCP;
    q.request.idiag_states = ~0u;
    q.request.id.idiag_sport = htons(own.port);
    q.request.id.idiag_dport = htons(other.port);
    std::memcpy(q.request.id.idiag_src, own.bytes.data(), sizeof q.request.id.idiag_src);
    std::memcpy(q.request.id.idiag_dst, other.bytes.data(), sizeof q.request.id.idiag_dst);
    q.request.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
    q.request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    return q;
}

// Returns the kernel's answer about one socket. Error ENOENT: there is none.
Result<inet_diag_msg> ask(int socket, const Question& q) {
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    if (::sendto(socket, &q, sizeof q, 0, reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) < 0)
        return system_error("sock_diag");
    pollfd ready{socket, POLLIN, 0};
    if (::poll(&ready, 1, kAnswerLimitMs) <= 0)
        return Error{"sock_diag", ETIMEDOUT};
    alignas(nlmsghdr) std::array<char, 8192> buffer;
    const ssize_t n = ::recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0)
        return system_error("sock_diag");
    nlmsghdr header{};
    if (static_cast<std::size_t>(n) < sizeof header)
        return Error{"sock_diag", EBADMSG};
    std::memcpy(&header, buffer.data(), sizeof header);
    const std::size_t size = std::min<std::size_t>(header.nlmsg_len, static_cast<std::size_t>(n));
    if (header.nlmsg_type == NLMSG_ERROR && size >= NLMSG_HDRLEN + sizeof(int)) {
        int error = 0;
        std::memcpy(&error, buffer.data() + NLMSG_HDRLEN, sizeof error);
        return Error{"sock_diag", -error};
    }
    inet_diag_msg message{};
    if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || size < NLMSG_HDRLEN + sizeof message)
        return Error{"sock_diag", EBADMSG};
    std::memcpy(&message, buffer.data() + NLMSG_HDRLEN, sizeof message);
    return message;
}

TcpOwner not_to_say(std::string why) {
    return TcpOwner{TcpOwner::Kind::not_to_say, 0, std::move(why)};
}

TcpOwner owner_of(const TcpRow& row) {
    if (row.inode != 0)
        return {TcpOwner::Kind::known, row.uid, {}};
    // Before accept(2) the connection has no inode, and the kernel reports root as its owner.
    if (row.state == kEstablished || row.state == kSynReceived)
        return {TcpOwner::Kind::waiting, 0, {}};
    return not_to_say("it has closed the connection");
}

}  // namespace

TcpOwners::TcpOwners() : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)) {}

Result<TcpOwner> TcpOwners::by_diag(const TcpEnd& own, const TcpEnd& other) const {
    if (!socket_)
        return Error{"the kernel gives no socket for sock_diag"};
    const auto found = ask(socket_.get(), question(own, other));
    if (!found && found.error().code == ENOENT) {
        // If our own end is not found either, this kernel has no sock_diag for TCP.
        if (const auto ours = ask(socket_.get(), question(other, own)); !ours)
            return Error{"sock_diag does not tell whose a TCP connection is"};
        return TcpOwner{TcpOwner::Kind::not_here, 0, {}};
    }
    if (!found)
        return found.error();
    // Without the exact socket the kernel returns a listener, which says nothing about this connection.
    if (found->id.idiag_dport != htons(other.port))
        return TcpOwner{TcpOwner::Kind::not_here, 0, {}};
    return owner_of({found->idiag_state, found->idiag_uid, found->idiag_inode});
}

TcpOwner TcpOwners::by_table(const TcpEnd& own, const TcpEnd& other) const {
    const auto found = table_.find(own, other);
    if (!found)
        return not_to_say(found.error().text());
    if (*found)
        return owner_of(**found);
    // A table without our own end is that of another network namespace, or changed too much while it was
    // read.
    const auto ours = table_.find(other, own);
    if (!ours || !*ours)
        return not_to_say("/proc/net/tcp does not show the connection");
    return {TcpOwner::Kind::not_here, 0, {}};
}

TcpOwner TcpOwners::other_end(const TcpEnds& ends) const {
    const TcpEnd local = parse(ends.local_address, ends.local_port);
    const TcpEnd remote = parse(ends.remote_address, ends.remote_port);
    if (local.family == AF_UNSPEC || local.family != remote.family)
        return not_to_say("the connection's addresses cannot be read");
    const auto told = by_diag(remote, local);
    if (told)
        return *told;
    TcpOwner owner = by_table(remote, local);
    if (owner.kind == TcpOwner::Kind::not_to_say)
        owner.why = told.error().text() + "; " + owner.why;
    return owner;
}

TcpOwner TcpOwners::other_end(const TcpEnds& ends, Clock::time_point deadline) const {
    auto pause = kFirstPause;
    for (;;) {
        TcpOwner owner = other_end(ends);
        const auto left = std::chrono::floor<std::chrono::milliseconds>(deadline - Clock::now());
        if (owner.kind != TcpOwner::Kind::waiting || left.count() <= 0)
            return owner;
        ::poll(nullptr, 0, static_cast<int>(std::min(pause, left).count()));
        pause = std::min(2 * pause, kMostPause);
    }
}

bool is_this_machine(const TcpEnds& ends) {
    const TcpEnd local = parse(ends.local_address, 0);
    const TcpEnd remote = parse(ends.remote_address, 0);
    if (remote.family == AF_INET && remote.bytes[0] == 127)
        return true;
    return remote.family == local.family && remote.bytes == local.bytes;
}

}  // namespace healthcheckd::master
