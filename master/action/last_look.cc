#include "master/action/last_look.h"

#include "common/system/readable.h"
#include "common/wire/channel.h"
#include "master/action/guard.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace healthcheckd::master {

using Clock = std::chrono::steady_clock;

Result<LookChannel> LookChannel::make() {
    LookChannel channel;
    auto pipe = make_pipe();
    if (!pipe)
        return pipe.error();
    if (auto set = set_nonblocking(pipe->first.get()); !set)
        return set.error();
    channel.told_ = std::move(pipe->first);
    channel.tells_ = std::move(pipe->second);
    channel.word_.reset(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!channel.word_)
        return system_error("eventfd");
    return channel;
}

bool LookChannel::take_word() const {
    std::uint64_t value = 0;
    return ::read(word_.get(), &value, sizeof value) == static_cast<ssize_t>(sizeof value);
}

void LookChannel::tell(std::string_view remark) const {
    (void)!::write(tells_.get(), remark.data(), std::min(remark.size(), kMostRemark));
}

// Returns false at the end of the pipe.
bool LookChannel::hear(std::string& remark) const {
    std::array<char, kMostRemark> buffer;
    for (;;) {
        const ssize_t n = ::read(told_.get(), buffer.data(), buffer.size());
        if (n < 0)
            return true;
        if (n == 0)
            return false;
        remark.append(buffer.data(), static_cast<std::size_t>(n));
    }
}

LookChannel::Outcome LookChannel::wait(Clock::time_point until, CommandGuard& guard) const {
    std::string remark;
    for (;;) {
        std::array<pollfd, 2> ready{{{guard.fd(), POLLIN, 0}, {told_.get(), POLLIN, 0}}};
        (void)::poll(ready.data(), ready.size(), poll_timeout(until));
        if (ready[0].revents != 0)
            guard.obey();
        const bool open = hear(remark);
        if (open && Clock::now() < until)
            continue;
        if (!take_word()) {
            (void)hear(remark);  // it was sent before the token was taken
            return {true, std::move(remark)};
        }
        return {false,
                open ? "it could not be looked at again in time" : "the process that looked at it ended"};
    }
}

}  // namespace healthcheckd::master
