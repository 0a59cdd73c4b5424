#include "worker/tcp_connect.h"

#include "common/unique_fd.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <strings.h>
#include <sys/time.h>

namespace healthcheckd::worker {

namespace {

void add_numeric(std::vector<SocketAddress>& addresses, const std::string& host, int port) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
        return;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
    for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
        SocketAddress& address = addresses.emplace_back();
        std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
        address.size = entry->ai_addrlen;
    }
}

// Where nobody listens on a port of the range that the kernel gives to clients (ip_local_port_range), a
// client that is given that very port connects to itself (RFC 9293, section 3.5).
bool is_own_end(int fd) {
    sockaddr_storage own{};
    sockaddr_storage other{};
    socklen_t own_size = sizeof own;
    socklen_t other_size = sizeof other;
    return ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) == 0 &&
           ::getpeername(fd, reinterpret_cast<sockaddr*>(&other), &other_size) == 0 &&
           own_size == other_size && std::memcmp(&own, &other, own_size) == 0;
}

}  // namespace

bool is_address(const std::string& host) {
    if (::strcasecmp(host.c_str(), "localhost") == 0)
        return true;
    const std::size_t begin = host.starts_with('[') ? 1 : 0;
    const std::string bare = host.substr(begin, host.find_first_of("]%", begin) - begin);
    in6_addr address{};
    return ::inet_pton(AF_INET, bare.c_str(), &address) == 1 ||
           ::inet_pton(AF_INET6, bare.c_str(), &address) == 1;
}

std::vector<SocketAddress> fixed_addresses(const std::string& host, int port) {
    std::vector<SocketAddress> addresses;
    if (::strcasecmp(host.c_str(), "localhost") == 0) {
        add_numeric(addresses, "::1", port);
        add_numeric(addresses, "127.0.0.1", port);
        return addresses;
    }
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    const std::string bare = bracketed ? host.substr(1, host.size() - 2) : host;
    // Short forms such as "127.1" are left to the resolver of all other names.
    const bool ipv4 = std::strspn(bare.c_str(), "0123456789.") == bare.size() &&
                      std::count(bare.begin(), bare.end(), '.') == 3;
    if (ipv4 || bare.find(':') != std::string::npos)
        add_numeric(addresses, bare, port);
    return addresses;
}

Result<void> connect_once(const SocketAddress& address, std::chrono::milliseconds limit) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point deadline = Clock::now() + limit;
    const UniqueFd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd)
        return system_error(kNoSocket);
    const auto* raw = reinterpret_cast<const sockaddr*>(&address.storage);
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0)
            return Error{"connect", ETIMEDOUT};  // a wait of 0 would be without end
        // socket(7): also the limit of connect(2), which then fails with EINPROGRESS.
        timeval wait{};
        wait.tv_sec = left.count() / 1000;
        wait.tv_usec = left.count() % 1000 * 1000;
        if (::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0)
            return system_error(kNoSocket);
        if (::connect(fd.get(), raw, address.size) == 0)
            break;
        // With a limit it is interrupted by a stop or a freeze of this process too (signal(7)), which says
        // nothing about the server. The next call waits for the same connection, and fails with EALREADY.
        if (errno != EINTR)
            return system_error("connect", errno == EINPROGRESS || errno == EALREADY ? ETIMEDOUT : errno);
    }
    if (is_own_end(fd.get()))
        return Error{"connect", ECONNREFUSED};
    return {};
}

}  // namespace healthcheckd::worker
