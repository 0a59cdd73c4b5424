#include "worker/probe/byte_stream.h"

#include "worker/probe/tcp_connect.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace healthcheckd::worker {

namespace {

ByteStream::Moved outcome(ssize_t n) {
    if (n > 0)
        return {ByteStream::State::moved, static_cast<std::size_t>(n)};
    if (n == 0)
        return {ByteStream::State::ended};
    if (errno == EAGAIN || errno == EINTR)
        return {ByteStream::State::wait};
    // EPIPE is what remains of a reset that connect_first() has seen.
    return {ByteStream::State::lost, 0, ::strerrordesc_np(errno == EPIPE ? ECONNRESET : errno)};
}

}  // namespace

ByteStream::Moved PlainStream::send(std::string_view bytes, bool more) {
    return outcome(
        ::send(connection_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | (more ? MSG_MORE : 0)));
}

ByteStream::Moved PlainStream::receive(char* buffer, std::size_t size) {
    return outcome(::recv(connection_.get(), buffer, size, 0));
}

void PlainStream::close() {
    if (connection_)
        end_connection(std::move(connection_));
}

}  // namespace healthcheckd::worker
