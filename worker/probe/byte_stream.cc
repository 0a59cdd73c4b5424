#include "worker/probe/byte_stream.h"

#include "common/system/result.h"
#include "worker/probe/tcp_connect.h"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>

namespace healthcheckd::worker {

namespace {

ByteStream::Moved outcome(ssize_t n, short events) {
    if (n > 0)
        return {ByteStream::State::moved, static_cast<std::size_t>(n)};
    if (n == 0)
        return {ByteStream::State::ended};
    if (errno == EAGAIN || errno == EINTR)
        return {ByteStream::State::wait, 0, {}, events};
    // EPIPE is what remains of a reset that connect_first() has seen.
    return {ByteStream::State::lost, 0, ::strerrordesc_np(errno == EPIPE ? ECONNRESET : errno)};
}

}  // namespace

bool wait_for(int fd, short events, std::chrono::steady_clock::time_point deadline) {
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0)
            return false;
        pollfd ready{fd, events, 0};
        const int n = ::poll(&ready, 1, static_cast<int>(left.count()));
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            throw std::runtime_error(system_error("poll").text());
    }
}

ByteStream::Moved PlainStream::send(std::string_view bytes, bool more) {
    return outcome(
        ::send(connection_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | (more ? MSG_MORE : 0)), POLLOUT);
}

ByteStream::Moved PlainStream::receive(char* buffer, std::size_t size) {
    return outcome(::recv(connection_.get(), buffer, size, 0), POLLIN);
}

void PlainStream::close() {
    if (connection_)
        end_connection(std::move(connection_));
}

}  // namespace healthcheckd::worker
