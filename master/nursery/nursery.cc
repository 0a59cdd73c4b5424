#include "master/nursery/nursery.h"

#include "common/system/mapped_file.h"
#include "common/system/readable.h"
#include "common/wire/channel.h"
#include "common/wire/protocol_nursery.h"
#include "master/config/transfer.h"

#include <array>
#include <new>
#include <poll.h>
#include <sys/mman.h>

namespace healthcheckd::master {

namespace {

// Long enough for a machine that is short of processor time: the master waits meanwhile.
constexpr std::chrono::milliseconds kLimit{5'000};
constexpr std::size_t kMostConfiguration = 32u << 20;
constexpr std::size_t kMostTitle = 200;  // bytes; ps(1) shows what there is room for

WorkerOrder order_of(const Nursery::Order& from, std::size_t index) {
    WorkerOrder order;
    order.index = static_cast<std::uint32_t>(index);
    order.name = from.birth.name;
    order.program = from.birth.program;
    order.title = from.title.substr(0, kMostTitle);
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
    try {
        const MappedFile area(file.get(), kMostConfiguration);
        if (auto written = pack_for_workers(config, cats, area.bytes()); !written)
            return written.error();
    } catch (const std::bad_alloc&) {
        return Error{"mmap", ENOMEM};
    }
    return file;
}

}  // namespace

// Orders of one configuration.
struct Nursery::Group {
    const Config* config;
    UniqueFd configuration = {};
    std::vector<std::size_t> cats = {};
    std::vector<std::pair<std::size_t, std::string>> lines = {};  // the position of an order, and its line

    // Leaves out an order whose line is too long.
    void add(std::size_t position, const Order& order) {
        std::string line(encode(order_of(order, cats.size())).line());
        if (line.empty())
            return;
        cats.push_back(order.birth.index);
        lines.emplace_back(position, std::move(line));
    }
};

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

// Sends the configuration, and waits until it has been read, so that no child inherits the file.
Result<void> Nursery::configure(const Group& group) {
    const int attached = group.configuration.get();
    if (auto sent = send(encode(Configure{}).line(), {&attached, 1}); !sent)
        return sent;
    const auto taken = receive<Configured>();
    return taken ? Result<void>() : taken.error();
}

Result<std::vector<pid_t>> Nursery::converse(std::span<const Group> groups, std::span<const Order> orders) {
    std::size_t sent_orders = 0;
    for (const Group& group : groups) {
        if (auto configured = configure(group); !configured)
            return configured.error();
        for (const auto& [position, line] : group.lines) {
            const Order& order = orders[position];
            const std::array fds{order.control, order.report, order.mark};
            const auto attached = std::span(fds).first(order.mark >= 0 ? fds.size() : fds.size() - 1);
            if (auto sent = send(line, attached); !sent)
                return sent.error();
            ++sent_orders;
        }
    }
    if (auto sent = send(encode(ForkAll{}).line(), {}); !sent)
        return sent.error();
    auto forked = receive<ForkedWorkers>();
    if (!forked)
        return forked.error();
    if (forked->pids.size() != sent_orders)
        return Error{"it gave another number of pids"};
    return std::move(forked->pids);
}

Result<std::vector<pid_t>> Nursery::fork(std::span<const Order> orders) {
    std::vector<Group> groups;
    for (std::size_t i = 0; i < orders.size(); ++i) {
        // During a reload, workers of two configurations can be due.
        if (groups.empty() || groups.back().config != orders[i].birth.config.get())
            groups.push_back({orders[i].birth.config.get()});
        groups.back().add(i, orders[i]);
    }
    std::erase_if(groups, [](const Group& group) { return group.lines.empty(); });
    for (Group& group : groups) {
        auto file = packed(*group.config, group.cats);
        if (!file)
            return file.error();
        group.configuration = std::move(*file);
    }
    std::vector<pid_t> pids(orders.size(), -ENAMETOOLONG);
    if (groups.empty())
        return pids;
    const auto forked = converse(groups, orders);
    lost_ = !forked;
    if (!forked)
        return forked.error();
    auto pid = forked->begin();
    for (const Group& group : groups)
        for (const auto& [position, line] : group.lines)
            pids[position] = *pid++;
    return pids;
}

}  // namespace healthcheckd::master
