#include "master/nursery/nursery.h"

#include "common/system/mapped_file.h"
#include "common/system/readable.h"
#include "common/wire/channel.h"
#include "common/wire/protocol_nursery.h"
#include "master/config/transfer.h"

#include <algorithm>
#include <array>
#include <poll.h>
#include <sys/mman.h>

namespace healthcheckd::master {

namespace {

// Long enough for a machine that is short of processor time: the master waits meanwhile.
constexpr std::chrono::milliseconds kLimit{5'000};
constexpr std::size_t kMostConfiguration = 32u << 20;

WorkerOrder order_of(const Nursery::Order& from, std::size_t index) {
    WorkerOrder order;
    order.index = static_cast<std::uint32_t>(index);
    order.name = from.birth.name;
    order.program = from.birth.program;
    order.title = from.title;
    order.logs = from.birth.logs;
    order.uid = from.user.uid;
    order.gid = from.user.gid;
    order.single = from.user.single;
    order.missing = from.user.missing;
    for (const auto& [pid, rest] : from.birth.left_out)
        order.left.push_back(
            {pid, static_cast<std::uint64_t>(rest.until.time_since_epoch() / std::chrono::nanoseconds(1)),
             rest.sought});
    return order;
}

// Returns a file in memory with the packed configuration of some cats.
Result<UniqueFd> packed(const Config& config, std::span<const std::size_t> cats) {
    UniqueFd file(::memfd_create("configuration", MFD_CLOEXEC));
    if (!file || ::ftruncate(file.get(), kMostConfiguration) != 0)
        return system_error("memfd_create");
    const MappedFile area(file.get(), kMostConfiguration);
    if (auto written = pack_for_workers(config, cats, area.bytes()); !written)
        return written.error();
    return file;
}

}  // namespace

Result<void> Nursery::send(std::string_view line, std::span<const int> attached) {
    const auto deadline = std::chrono::steady_clock::now() + kLimit;
    for (;;) {
        auto sent = send_packet(control_.get(), line, attached);
        if (sent || sent.error().code != EAGAIN)
            return sent;
        pollfd ready{control_.get(), POLLOUT, 0};
        if (::poll(&ready, 1, poll_timeout(deadline)) == 0)
            return Error{"sendmsg", ETIMEDOUT};
    }
}

template <class Answer> Result<Answer> Nursery::receive() {
    const auto packet = receive_packet(control_.get(), kLimit);
    if (!packet)
        return packet.error();
    if (!*packet)
        return Error{"it has ended"};
    NurseryAnswer answer;
    if (!decode((*packet)->line, answer))
        return Error{"it broke the protocol"};
    if (const auto* broken = std::get_if<Broken>(&answer))
        return Error{broken->message};
    if (auto* wanted = std::get_if<Answer>(&answer))
        return std::move(*wanted);
    return Error{"it gave another answer"};
}

// Sends the configuration of the cats of these orders, in their order, and waits until it has been read, so that no
// child inherits the file.
Result<void> Nursery::configure(std::span<const Order> orders) {
    std::vector<std::size_t> cats;
    for (const Order& order : orders)
        cats.push_back(order.birth.index);
    const auto file = packed(*orders.front().birth.config, cats);
    if (!file)
        return file.error();
    const int attached = file->get();
    if (auto sent = send(encode(Configure{}).line(), {&attached, 1}); !sent)
        return sent;
    const auto taken = receive<Configured>();
    return taken ? Result<void>() : taken.error();
}

Result<std::vector<pid_t>> Nursery::fork(std::span<const Order> orders) {
    for (std::size_t first = 0; first < orders.size();) {
        // During a reload, workers of two configurations can be due.
        const auto same = orders.subspan(first);
        const auto other = std::ranges::find_if(
            same, [&](const Order& order) { return order.birth.config != same.front().birth.config; });
        const auto group = same.first(static_cast<std::size_t>(other - same.begin()));
        if (auto configured = configure(group); !configured)
            return configured.error();
        for (std::size_t i = 0; i < group.size(); ++i) {
            const std::array fds{group[i].control, group[i].report, group[i].mark};
            const auto attached = std::span(fds).first(group[i].mark >= 0 ? fds.size() : fds.size() - 1);
            if (auto sent = send(encode(order_of(group[i], i)).line(), attached); !sent)
                return sent.error();
        }
        first += group.size();
    }
    if (auto sent = send(encode(ForkAll{}).line(), {}); !sent)
        return sent.error();
    auto forked = receive<ForkedWorkers>();
    if (!forked)
        return forked.error();
    if (forked->pids.size() != orders.size())
        return Error{"it gave another number of pids"};
    return std::move(forked->pids);
}

}  // namespace healthcheckd::master
