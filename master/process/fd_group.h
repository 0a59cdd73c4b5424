// Descriptors that are looked at together, so that a burst of small news wakes the master once. Master.
//
// After a group of probes has gone out, dozens of workers answer within milliseconds. Looked at one by one,
// each answer would wake the master, which costs more than to take it.
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

    // Calls back while the descriptor is readable, level-triggered, for as long as the member lives. The
    // descriptor must be open when the member ends. Throws std::system_error when the kernel refuses.
    class Member {
    public:
        Member(FdGroup& group, int fd, std::function<void()> callback);
        ~Member();
        Member(const Member&) = delete;
        Member& operator=(const Member&) = delete;

        // No call any more.
        void stop();

    private:
        FdGroup& group_;
        int fd_;
        std::uint64_t id_ = 0;
    };

    // Looks at no member for this long, or until the end of an earlier call's time.
    void hold(Milliseconds time);

private:
    void on_readable();

    UniqueFd epoll_;
    std::uint64_t last_id_ = 0;
    // By number, not by descriptor: what a callback removes may be among the news that are being told, and
    // its descriptor's number in use again.
    std::unordered_map<std::uint64_t, std::shared_ptr<const std::function<void()>>> callbacks_;
    bool holding_ = false;
    FdWatch watch_;
    Timer timer_;
};

}  // namespace healthcheckd::master
