#include "master/process/fd_group.h"

#include <array>
#include <sys/epoll.h>
#include <system_error>
#include <utility>

namespace healthcheckd::master {

namespace {

constexpr int kMostNews = 128;  // handled in one iteration of the loop; the rest follows in the next one

UniqueFd make_epoll() {
    UniqueFd fd(::epoll_create1(EPOLL_CLOEXEC));
    if (!fd)
        throw std::system_error(errno, std::generic_category(), "epoll_create1");
    return fd;
}

}  // namespace

FdGroup::FdGroup(Loop& loop)
    : epoll_(make_epoll()), watch_(loop, epoll_.get(), FdWatch::For::reading, [this] { on_readable(); }),
      timer_(loop, [this] {
          holding_ = false;
          watch_.resume();
          // Called directly: otherwise a timer that fires next may call hold() again before the loop polls.
          on_readable();
      }) {}

FdGroup::Member::Member(FdGroup& group, int fd, std::function<void()> callback)
    : group_(group), fd_(fd), id_(++group.last_id_) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = id_;
    if (::epoll_ctl(group_.epoll_.get(), EPOLL_CTL_ADD, fd_, &event) != 0)
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    group_.callbacks_[id_] = std::make_shared<const std::function<void()>>(std::move(callback));
}

FdGroup::Member::~Member() {
    stop();
}

void FdGroup::Member::stop() {
    const std::uint64_t id = std::exchange(id_, 0);
    if (id == 0)
        return;
    group_.callbacks_.erase(id);
    // A forked child may still hold the open file description: closing our descriptor alone
    // would not end the events.
    ::epoll_ctl(group_.epoll_.get(), EPOLL_CTL_DEL, fd_, nullptr);
}

void FdGroup::hold(Milliseconds time) {
    if (std::exchange(holding_, true))
        return;
    watch_.pause();
    timer_.start(time);
}

void FdGroup::on_readable() {
    std::array<epoll_event, kMostNews> news;
    const int count = ::epoll_wait(epoll_.get(), news.data(), kMostNews, 0);
    for (int i = 0; i < count; ++i) {
        const auto found = callbacks_.find(news[static_cast<std::size_t>(i)].data.u64);
        if (found == callbacks_.end())
            continue;
        // The callback may destroy its own member.
        const auto callback = found->second;
        (*callback)();
    }
}

}  // namespace healthcheckd::master
