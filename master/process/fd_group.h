// Descriptors polled together, so that many small messages wake the master once. Master.
//
// After a group of probes has been sent, dozens of workers answer within milliseconds. Polled separately,
// each answer would wake the master, which costs more than reading it.
#pragma once

#include "common/system/unique_fd.h"
#include "master/process/loop.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>

namespace healthcheckd::master {

class FdGroup {
public:
    explicit FdGroup(Loop& loop);
    FdGroup(const FdGroup&) = delete;
    FdGroup& operator=(const FdGroup&) = delete;

    // Calls back while the descriptor is readable, level-triggered, until destroyed. The descriptor must
    // still be open then. Throws std::system_error when epoll_ctl(2) fails.
    class Member {
    public:
        Member(FdGroup& group, int fd, std::function<void()> callback);
        ~Member();
        Member(const Member&) = delete;
        Member& operator=(const Member&) = delete;

        // Disables the callback for good.
        void stop();

    private:
        FdGroup& group_;
        int fd_;
        std::uint64_t id_ = 0;
    };

    // Polls no member for this long, or until the end of an earlier hold().
    void hold(Milliseconds time);

private:
    void on_readable();

    UniqueFd epoll_;
    std::uint64_t last_id_ = 0;
    // Keyed by number, not by descriptor: a callback may remove a member whose event is still to be handled,
    // and the number of its descriptor may be in use again.
    std::unordered_map<std::uint64_t, std::shared_ptr<const std::function<void()>>> callbacks_;
    bool holding_ = false;
    FdWatch watch_;
    Timer timer_;
};

}  // namespace healthcheckd::master
