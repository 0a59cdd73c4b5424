#include "master/ctl/client.h"

#include "common/system/unix_socket.h"
#include "common/text/number.h"
#include "common/text/printable.h"

#include <cerrno>
#include <poll.h>

namespace healthcheckd::ctl {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// connect(2) to a unix socket with a full backlog fails at once with EAGAIN; nothing signals
// when there is room again.
constexpr auto kConnectRetry = 20ms;
// Longer than reading a configuration and than a probe with the default timeout may take.
constexpr auto kSlowAnswer = 35s;

// Makes the errors about the socket, which all begin alike.
Error about(const std::string& socket, const std::string& what) {
    return Error{"no answer from healthcheckd at " + printable(socket, 200) + ": " + what};
}

Error why_not_connected(const std::string& socket, int code) {
    const std::string other = ", or listens elsewhere: -s names config.socket";
    switch (code) {
    case ENOENT:
        return about(socket, "there is no such socket. It does not run" + other);
    case ECONNREFUSED:
        return about(socket, "nobody listens there. It does not run" + other);
    case EACCES:
    case EPERM:
        return about(socket, "permission denied. Run healthcheckctl as root, or as the user of healthcheckd");
    case EPROTOTYPE:
        return about(socket, "this socket is of another program. -s names config.socket");
    default:
        return about(socket, ::strerrordesc_np(code));
    }
}

// Waits until `fd` is ready for `events`, or has failed.
enum class Waited { ready, late, interrupted };
Waited wait_for(int fd, short events, Clock::time_point deadline, int interrupt_fd) {
    for (;;) {
        pollfd fds[2] = {{fd, events, 0}, {interrupt_fd, POLLIN, 0}};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left <= 0ms)
            return Waited::late;
        if (::poll(fds, 2, static_cast<int>(left.count())) < 0 && errno != EINTR)
            return Waited::late;
        if (fds[1].revents != 0)
            return Waited::interrupted;
        if (fds[0].revents != 0)
            return Waited::ready;
    }
}

Error gave_up(const std::string& socket, Waited how, Clock::duration after) {
    if (how == Waited::interrupted)
        return about(socket, "interrupted");
    return about(socket, "nothing came for " + number_text(std::chrono::duration<double>(after).count()) +
                             " s. Is it frozen? Look at its log, and at ps ax | grep healthcheckd:");
}

Result<UniqueFd> connected(const std::string& socket, const AskLimits& limits) {
    if (socket.size() > kMostSocketPathBytes)
        return about(socket, "a socket's path has at most 107 bytes");
    UniqueFd fd = make_unix_socket();
    if (!fd)
        return about(socket, ::strerrordesc_np(errno));
    const auto deadline = Clock::now() + limits.connect;
    while (const int error = connect_unix(fd, socket)) {
        if (error == EINTR)
            continue;
        if (error != EAGAIN)
            return why_not_connected(socket, error);
        const auto retry = Clock::now() + kConnectRetry;
        if (retry >= deadline)
            return gave_up(socket, Waited::late, limits.connect);
        if (wait_for(-1, 0, retry, limits.interrupt_fd) == Waited::interrupted)
            return gave_up(socket, Waited::interrupted, limits.connect);
    }
    return fd;
}

// A server that has closed the connection may have sent a reason before, so its answer is read all the same.
Result<void> send_line(int fd, const std::string& socket, std::string_view line, Clock::time_point deadline,
                       const AskLimits& limits) {
    while (!line.empty()) {
        const ssize_t n = ::send(fd, line.data(), line.size(), MSG_NOSIGNAL);
        if (n > 0) {
            line.remove_prefix(static_cast<std::size_t>(n));
            continue;
        }
        if (errno == EPIPE || errno == ECONNRESET)
            return {};
        if (errno != EAGAIN && errno != EINTR)
            return about(socket, ::strerrordesc_np(errno));
        if (const Waited how = wait_for(fd, POLLOUT, deadline, limits.interrupt_fd); how != Waited::ready)
            return gave_up(socket, how, limits.answer);
    }
    return {};
}

Result<std::string> read_all(int fd, const std::string& socket, Clock::time_point deadline,
                             const AskLimits& limits) {
    std::string answer;
    char piece[64 * 1024];
    for (;;) {
        if (const Waited how = wait_for(fd, POLLIN, deadline, limits.interrupt_fd); how != Waited::ready)
            return gave_up(socket, how, limits.answer);
        const ssize_t n = ::recv(fd, piece, sizeof piece, 0);
        if (n > 0)
            answer.append(piece, static_cast<std::size_t>(n));
        else if (n == 0 || errno == ECONNRESET)
            break;
        else if (errno != EAGAIN && errno != EINTR)
            return about(socket, ::strerrordesc_np(errno));
        if (answer.size() > limits.bytes)
            return about(socket, "what came is larger than " + std::to_string(limits.bytes >> 20) +
                                     " MB. Does another program listen there?");
    }
    if (answer.empty())
        return about(socket, "it hung up. It may be ending, or have too many clients: try again");
    return answer;
}

}  // namespace

AskLimits limits_for(const ControlRequest& request, std::optional<std::chrono::milliseconds> timeout) {
    AskLimits limits;
    if (request.command->is_slow)
        limits.answer = kSlowAnswer;
    if (timeout)
        limits.answer = *timeout;
    limits.connect = std::min(limits.connect, limits.answer);
    return limits;
}

Result<std::string> ask(const std::string& socket, const ControlRequest& request, const AskLimits& limits) {
    LineWriter writer = encode(request);
    if (writer.line().empty())
        return Error{"the name is too long"};
    const auto deadline = Clock::now() + limits.answer;
    auto fd = connected(socket, limits);
    if (!fd)
        return fd.error();
    if (auto sent = send_line(fd->get(), socket, writer.line(), deadline, limits); !sent)
        return sent.error();
    return read_all(fd->get(), socket, deadline, limits);
}

}  // namespace healthcheckd::ctl
