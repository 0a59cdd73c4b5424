// Sends a worker's messages to the master, one line each on kReportFd. Worker.
#pragma once

#include "common/wire/channel.h"
#include "common/wire/protocol.h"

namespace healthcheckd::worker {

class Reporter {
public:
    explicit Reporter(int fd) : fd_(fd) {}

    // Writes one line and blocks while the pipe is full. After the master has closed its end it does nothing.
    // Not inlined: the line of 4096 bytes would lie on the stack of every worker for good, in the frame of live().
    template <class Message> [[gnu::noinline]] void send(const Message& message) {
        if (!closed_ && !write_line(fd_, encode(message).line()))
            closed_ = true;
    }

    // Returns whether the master has closed its end.
    bool closed() const { return closed_; }

private:
    int fd_;
    bool closed_ = false;
};

}  // namespace healthcheckd::worker
