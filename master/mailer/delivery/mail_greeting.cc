#include "master/mailer/delivery/mail_greeting.h"

#include "master/notice/host_facts.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string_view>

namespace healthcheckd::master {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t kSlice = 100;  // ms
using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

// Returns whether `name` can identify this host to a server elsewhere.
bool is_full(std::string_view name) {
    constexpr std::string_view kHostCharacters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    return name.size() <= 253 && name.find('.') != std::string_view::npos && !name.starts_with('.') &&
           !name.ends_with('.') && name.find("..") == std::string_view::npos &&
           name.find_first_not_of(kHostCharacters) == std::string_view::npos &&
           name.find_first_not_of("0123456789.") != std::string_view::npos && !name.starts_with("localhost.");
}

Addresses look_up(const char* name, const char* port, int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* found = nullptr;
    if (::getaddrinfo(name, port, &hints, &found) != 0)
        found = nullptr;
    return {found, &::freeaddrinfo};
}

bool connected(int socket, const addrinfo& address, Clock::time_point deadline,
               const std::function<bool()>& over) {
    if (::connect(socket, address.ai_addr, address.ai_addrlen) == 0)
        return true;
    if (errno != EINPROGRESS)
        return false;
    while (Clock::now() < deadline && !over()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd ready{socket, POLLOUT, 0};
        const int n = ::poll(&ready, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, kSlice)));
        int error = 0;
        socklen_t size = sizeof error;
        if (n > 0)
            return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
        if (n < 0 && errno != EINTR)
            return false;
    }
    return false;
}

}  // namespace

std::string full_host_name() {
    const std::string name = host_name();
    if (is_full(name))
        return name;
    const Addresses found = look_up(name.c_str(), nullptr, AI_CANONNAME);
    const std::string canonical = found && found->ai_canonname != nullptr ? found->ai_canonname : "";
    return is_full(canonical) ? canonical : "";
}

std::string address_literal(const sockaddr_storage& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        if (::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size()) != nullptr)
            return std::string("[") + text.data() + "]";
    } else if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        if (::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size()) != nullptr)
            return std::string("[IPv6:") + text.data() + "]";
    }
    return {};
}

std::optional<MailConnection> connect_to_mail(const std::string& host, int port,
                                              std::chrono::milliseconds limit,
                                              const std::function<bool()>& over) {
    const Addresses found = look_up(host.c_str(), std::to_string(port).c_str(), AI_NUMERICSERV);
    std::int64_t left = 0;
    for (const addrinfo* each = found.get(); each != nullptr; each = each->ai_next)
        ++left;
    const auto deadline = Clock::now() + limit;
    for (const addrinfo* each = found.get(); each != nullptr; each = each->ai_next, --left) {
        const auto now = Clock::now();
        if (now >= deadline)
            break;
        UniqueFd socket(
            ::socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, each->ai_protocol));
        // The time is shared between the addresses: one that does not answer must not use up that of the
        // others.
        if (!socket || !connected(socket.get(), *each, now + (deadline - now) / left, over))
            continue;
        sockaddr_storage own{};
        socklen_t size = sizeof own;
        if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0)
            return MailConnection{std::move(socket), address_literal(own)};
    }
    return std::nullopt;
}

}  // namespace healthcheckd::master
