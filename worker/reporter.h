// Sends a worker's messages to the master, one line each on kReportFd. Worker.
#pragma once

#include "common/wire/protocol.h"

#include <string_view>

namespace healthcheckd::worker {

class Reporter {
public:
    explicit Reporter(int fd) : fd_(fd) {}

    // Each send() writes one line and blocks while the pipe is full. After the master has closed its end they
    // do nothing.
    void send(const Ready& line);
    void send(const Report& line);
    void send(const OpenRequest& line);
    void send(const RotateRequest& line);
    void send(const Unlogged& line);
    void send(const Broken& line);

    // Returns whether the master has closed its end.
    bool closed() const { return closed_; }

private:
    template <class Line> void write(const Line& line);

    int fd_;
    bool closed_ = false;
};

}  // namespace healthcheckd::worker
