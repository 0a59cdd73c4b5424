// What a worker says to the master: one line of the grammar at a time on kReportFd. Worker.
#pragma once

#include "common/wire/protocol.h"

#include <string_view>

namespace healthcheckd::worker {

class Reporter {
public:
    explicit Reporter(int fd) : fd_(fd) {}

    // Each sends one line and waits while the pipe is full. Once the master's end is closed they do nothing.
    void send(const Ready& line);
    void send(const Report& line);
    void send(const OpenRequest& line);
    void send(const RotateRequest& line);
    void send(const Unlogged& line);
    void send(const Broken& line);

    // Nobody reads any more: the master is gone.
    bool closed() const { return closed_; }

private:
    template <class Line> void write(const Line& line);

    int fd_;
    bool closed_ = false;
};

}  // namespace healthcheckd::worker
