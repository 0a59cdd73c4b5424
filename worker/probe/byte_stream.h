// The two directions of a connection as bytes, in the clear or within TLS. Worker (http).
#pragma once

#include "common/system/unique_fd.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace healthcheckd::worker {

class ByteStream {
public:
    enum class State {
        moved,  // `bytes` of them
        wait,   // until poll(2) reports one of `events`
        ended,  // the other side sends nothing more
        lost,   // for the reason `why`
    };
    struct Moved {
        State state = State::moved;
        std::size_t bytes = 0;
        std::string why = {};
        short events = 0;
    };

    virtual ~ByteStream() = default;

    // Sends the first of `bytes`, which are not empty. `more`: others follow at once.
    virtual Moved send(std::string_view bytes, bool more) = 0;
    // Receives at most `size` bytes, not 0, into `buffer`.
    virtual Moved receive(char* buffer, std::size_t size) = 0;
    // What poll(2) waits for. Everything that has arrived is received first, until State::wait.
    virtual int fd() const = 0;
    // Ends the connection.
    virtual void close() = 0;
};

// Waits until poll(2) reports one of `events` for `fd`. Returns false when none came until `deadline`. Throws
// std::runtime_error when poll(2) fails.
bool wait_for(int fd, short events, std::chrono::steady_clock::time_point deadline);

class PlainStream final : public ByteStream {
public:
    // `connection`: non-blocking.
    explicit PlainStream(UniqueFd connection) : connection_(std::move(connection)) {}

    Moved send(std::string_view bytes, bool more) override;
    // After a reset, still returns what was sent before it.
    Moved receive(char* buffer, std::size_t size) override;
    int fd() const override { return connection_.get(); }
    void close() override;

private:
    UniqueFd connection_;
};

}  // namespace healthcheckd::worker
