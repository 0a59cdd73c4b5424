#include "worker/tcp_connect.h"

#include "common/unique_fd.h"

#include <algorithm>
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

}  // namespace

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
    const UniqueFd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd)
        return system_error(kNoSocket);
    // socket(7): also the limit of connect(2), which then fails with EINPROGRESS.
    timeval wait{};
    wait.tv_sec = limit.count() / 1000;
    wait.tv_usec = limit.count() % 1000 * 1000;
    if (wait.tv_sec == 0 && wait.tv_usec == 0)
        return Error{"connect", ETIMEDOUT};  // a wait of 0 would be without end
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0)
        return system_error(kNoSocket);
    const auto* raw = reinterpret_cast<const sockaddr*>(&address.storage);
    if (::connect(fd.get(), raw, address.size) != 0)
        return system_error("connect", errno == EINPROGRESS ? ETIMEDOUT : errno);
    return {};
}

}  // namespace healthcheckd::worker
