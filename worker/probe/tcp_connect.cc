#include "worker/probe/tcp_connect.h"

#include "common/net/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstddef>
#include <cstring>
#include <linux/tcp.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>

namespace healthcheckd::worker {

using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kMostAddresses = 16;
constexpr std::chrono::milliseconds kHeadStart{250};  // RFC 8305, section 5: Connection Attempt Delay

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

in_port_t port_of(const sockaddr_storage& address) {
    // At the same place in both families.
    static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
    return reinterpret_cast<const sockaddr_in&>(address).sin_port;
}

// Returns whether the connection to `port` is one to itself: when nobody listens on a port of the kernel's range
// for clients (ip_local_port_range), a client that gets this very port connects to itself (RFC 9293, section
// 3.5).
bool is_own_end(int fd, in_port_t port) {
    sockaddr_storage own{};
    sockaddr_storage other{};
    socklen_t own_size = sizeof own;
    socklen_t other_size = sizeof other;
    return ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) == 0 && port_of(own) == port &&
           ::getpeername(fd, reinterpret_cast<sockaddr*>(&other), &other_size) == 0 &&
           own_size == other_size && std::memcmp(&own, &other, own_size) == 0;
}

// Returns `addresses` with alternating families, otherwise in order: one family may lead nowhere.
std::vector<SocketAddress> in_turn(const std::vector<SocketAddress>& addresses) {
    if (addresses.size() < 3)
        return addresses;
    std::vector<SocketAddress> first, other, mixed;
    for (const SocketAddress& address : addresses)
        (address.storage.ss_family == addresses.front().storage.ss_family ? first : other).push_back(address);
    for (std::size_t i = 0; i < addresses.size() && mixed.size() < kMostAddresses; ++i) {
        if (i < first.size())
            mixed.push_back(first[i]);
        if (i < other.size())
            mixed.push_back(other[i]);
    }
    mixed.resize(std::min(mixed.size(), kMostAddresses));
    return mixed;
}

// Returns 0 when the connection to `port` was made, else its errno.
int outcome(int fd, in_port_t port, short events) {
    int error = 0;
    if ((events & (POLLERR | POLLHUP)) != 0) {
        socklen_t size = sizeof error;
        if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
            return errno;
    }
    // A reset in answer to the SYN is ECONNREFUSED; these errors follow an accepted connection.
    if (error == ECONNRESET || error == EPIPE)
        return 0;
    return error == 0 && is_own_end(fd, port) ? ECONNREFUSED : error;
}

class Race {
public:
    Race(std::vector<SocketAddress> addresses, Clock::time_point deadline)
        : addresses_(std::move(addresses)), deadline_(deadline) {}

    Connection run() {
        while (!result_.fd) {
            const Clock::time_point now = Clock::now();
            if (now < deadline_ && next_ < addresses_.size() && (running_.empty() || now >= next_start_))
                start(now);
            else if (now >= deadline_ ? !settle(0) : running_.empty())
                break;
            else if (now < deadline_)
                settle(until_next(now));
        }
        if (!result_.fd)
            time_out();
        return std::move(result_);
    }

private:
    struct Runner {
        UniqueFd fd;
        int family;
        in_port_t port;
    };

    void start(Clock::time_point now) {
        const SocketAddress& address = addresses_[next_++];
        next_start_ = now + kHeadStart;
        const int family = address.storage.ss_family;
        UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (!fd) {
            result_.refusals.push_back({family, errno, true});
            return;
        }
        const auto* raw = reinterpret_cast<const sockaddr*>(&address.storage);
        Runner runner{std::move(fd), family, port_of(address.storage)};
        if (::connect(runner.fd.get(), raw, address.size) == 0)
            finish(std::move(runner), POLLOUT);
        else if (errno == EINPROGRESS)
            running_.push_back(std::move(runner));
        else
            result_.refusals.push_back({family, errno, false});
    }

    int until_next(Clock::time_point now) const {
        const auto end = next_ < addresses_.size() ? std::min(deadline_, next_start_) : deadline_;
        return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(end - now).count());
    }

    // Waits for the next result, at most `wait_ms`. Returns whether there was one.
    bool settle(int wait_ms) {
        std::array<pollfd, kMostAddresses> waiting;
        for (std::size_t i = 0; i < running_.size(); ++i)
            waiting[i] = {running_[i].fd.get(), POLLOUT, 0};
        if (running_.empty() || ::poll(waiting.data(), running_.size(), wait_ms) <= 0)
            return false;
        std::vector<Runner> still;
        for (std::size_t i = 0; i < running_.size(); ++i)
            if (waiting[i].revents == 0)
                still.push_back(std::move(running_[i]));
            else
                finish(std::move(running_[i]), waiting[i].revents);
        running_ = std::move(still);
        return true;
    }

    void finish(Runner runner, short events) {
        if (const int error = outcome(runner.fd.get(), runner.port, events); error != 0)
            result_.refusals.push_back({runner.family, error, false});
        else if (result_.fd)
            end_connection(std::move(runner.fd));
        else
            result_ = {std::move(runner.fd), runner.family, std::move(result_.refusals)};
    }

    void time_out() {
        for (const Runner& runner : running_)
            result_.refusals.push_back({runner.family, ETIMEDOUT, false});
        for (; next_ < addresses_.size(); ++next_)
            result_.refusals.push_back({addresses_[next_].storage.ss_family, ETIMEDOUT, false});
    }

    const std::vector<SocketAddress> addresses_;
    const Clock::time_point deadline_;
    std::size_t next_ = 0;  // the address to try next
    Clock::time_point next_start_;
    std::vector<Runner> running_;
    Connection result_;
};

}  // namespace

bool is_address(const std::string& host) {
    if (::strcasecmp(host.c_str(), "localhost") == 0)
        return true;
    const std::size_t begin = host.starts_with('[') ? 1 : 0;
    const std::string bare = host.substr(begin, host.find_first_of("]%", begin) - begin);
    return is_numeric_address(bare);
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
    // Short forms such as "127.1" are left to the resolver.
    const bool ipv4 = std::strspn(bare.c_str(), "0123456789.") == bare.size() &&
                      std::count(bare.begin(), bare.end(), '.') == 3;
    if (ipv4 || bare.find(':') != std::string::npos)
        add_numeric(addresses, bare, port);
    return addresses;
}

Connection connect_first(const std::vector<SocketAddress>& addresses, Clock::time_point deadline) {
    return Race(in_turn(addresses), deadline).run();
}

TcpState tcp_state(int fd) {
    auto state = TcpState::established;  // the first member of tcp_info
    socklen_t size = sizeof state;
    (void)::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &size);
    return state;
}

void end_connection(UniqueFd connection) {
    if (tcp_state(connection.get()) == TcpState::close_wait) {
        // The other side has closed first; closing now would leave the connection in TIME_WAIT on its side.
        const linger reset{1, 0};
        (void)::setsockopt(connection.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    } else {
        // The acknowledgement of our FIN is answered by a reset, even if it comes with the other side's FIN.
        // With separate calls for FIN and reset, the other side could be faster.
        const int no_time = -1;
        (void)::setsockopt(connection.get(), IPPROTO_TCP, TCP_LINGER2, &no_time, sizeof no_time);
    }
}

}  // namespace healthcheckd::worker
