#include "master/nursery/nursery_child.h"

#include "common/system/child_fds.h"
#include "common/system/mapped_file.h"
#include "common/wire/channel.h"
#include "common/wire/protocol_nursery.h"
#include "master/config/transfer.h"
#include "master/nursery/child_life.h"
#include "master/nursery/filter_cache.h"
#include "master/nursery/heap_plug.h"
#include "master/nursery/nursery.h"

#include <array>
#include <csignal>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

// A worker that was ordered and is not forked yet.
struct Ordered {
    WorkerOrder order;
    std::array<UniqueFd, 3> fds;  // its control channel, its report pipe, its look mark
    std::shared_ptr<const Config> config;
    const CatConfig* cat = nullptr;
    const SeccompProgram* filter = nullptr;
};

// As fork(2), but the child has this process's parent, and no handler of pthread_atfork(3) runs: this process has one
// thread.
pid_t fork_sibling() noexcept {
    constexpr long kFlags = CLONE_PARENT | SIGCHLD;
#ifdef __s390__  // the stack comes first there (clone(2), C library/kernel differences)
    return static_cast<pid_t>(::syscall(SYS_clone, nullptr, kFlags, nullptr, nullptr, nullptr));
#else
    return static_cast<pid_t>(::syscall(SYS_clone, kFlags, nullptr, nullptr, nullptr, nullptr));
#endif
}

LeftOut left_out(const WorkerOrder& order) {
    LeftOut left;
    for (const WorkerOrder::Left& each : order.left)
        left[each.pid] = {std::chrono::steady_clock::time_point(std::chrono::nanoseconds(each.until_ns)),
                          each.sought};
    return left;
}

class NurseryChild {
public:
    NurseryChild(pid_t master, const Nursery::WorkerMain& worker_main)
        : master_(master), worker_main_(worker_main) {}

    // Carries out one command. Throws std::runtime_error when it is none.
    void obey(const std::string& line, std::array<UniqueFd, 3> attached) {
        NurseryCommand command;
        if (!decode(line, command))
            throw std::runtime_error("the master broke the protocol");
        if (auto* order = std::get_if<WorkerOrder>(&command))
            take(std::move(*order), std::move(attached));
        else if (std::holds_alternative<Configure>(command))
            configure(attached[0]);
        else
            fork_all();
    }

private:
    void configure(const UniqueFd& file) {
        // Not after the forks: a page that this process writes to is the worker's alone then, if there was only one.
        plug_.clear();
        struct stat status {};
        if (::fstat(file.get(), &status) != 0)
            throw std::runtime_error(system_error("fstat").text());
        const MappedFile area(file.get(), static_cast<std::size_t>(status.st_size));
        auto loaded = unpack_config(area.bytes());
        if (!loaded)
            throw std::runtime_error(loaded.error().text());
        config_ = loaded->config;
        answer(encode(Configured{}));
    }

    void take(WorkerOrder order, std::array<UniqueFd, 3> fds) {
        if (!config_ || order.index >= config_->cats.size() || ordered_.size() >= Nursery::kMostTogether ||
            !fds[1])
            throw std::runtime_error("the master ordered what cannot be");
        const CatConfig& cat = config_->cats[order.index];
        ordered_.push_back(
            {std::move(order), std::move(fds), config_, &cat, filters_.filter_of(cat.type->profile(cat))});
    }

    using Pids = std::array<pid_t, Nursery::kMostTogether>;

    void fork_all() {
        ForkedWorkers forked;
        forked.pids.reserve(Nursery::kMostTogether);
        plug_.fill();
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        ::sigprocmask(SIG_SETMASK, &all, &before);
        Pids pids;
        fork_in_a_row(pids);
        ::sigprocmask(SIG_SETMASK, &before, nullptr);
        forked.pids.assign(pids.begin(), pids.begin() + static_cast<std::ptrdiff_t>(ordered_.size()));
        // With the secrets.
        ordered_.clear();
        config_.reset();
        answer(encode(forked));
    }

    // Of a page that this process writes to between two forks, each worker has a copy of its own: here that is one of
    // the stack, as the frame is small and not part of a larger one.
    [[gnu::noinline]] void fork_in_a_row(Pids& result) const {
        Pids pids{};
        for (std::size_t i = 0; i < ordered_.size(); ++i)
            pids[i] = fork(ordered_[i]);
        result = pids;
    }

    pid_t fork(const Ordered& ordered) const {
        const SecretStore::Exposure exposure(*ordered.config->secrets,
                                             static_cast<SecretStore::Group>(ordered.order.index));
        const pid_t pid = fork_sibling();
        if (pid == 0)
            become(ordered);
        return pid < 0 ? -errno : pid;
    }

    [[noreturn, gnu::noinline]] void become(const Ordered& ordered) const {
        const WorkerOrder& order = ordered.order;
        const bool marks = static_cast<bool>(ordered.fds[2]);
        std::vector<int> fds{ordered.fds[0].get(), ordered.fds[1].get()};
        if (marks)
            fds.push_back(ordered.fds[2].get());
        live_as_child(order.title, std::move(fds), master_, Session::parents, [&] {
            return worker_main_({*ordered.config,
                                 *ordered.cat,
                                 order.name,
                                 order.program,
                                 master_,
                                 ordered.filter,
                                 order.logs,
                                 marks ? kFirstExtraFd : -1,
                                 left_out(order),
                                 {order.uid, order.gid, order.single, order.missing}});
        });
    }

    void answer(LineWriter line) {
        if (const auto sent = send_packet(kControlFd, line.line()); !sent)
            throw std::runtime_error(sent.error().text());
    }

    const pid_t master_;
    const Nursery::WorkerMain& worker_main_;
    std::shared_ptr<const Config> config_;
    FilterCache filters_;
    HeapPlug plug_;
    std::vector<Ordered> ordered_;
};

}  // namespace

int run_nursery(pid_t master, const std::function<int(const worker::WorkerStart&)>& worker_main) {
    NurseryChild nursery(master, worker_main);
    try {
        for (;;) {
            std::array<UniqueFd, 3> attached;
            const auto line = receive_packet(kControlFd, std::chrono::milliseconds(-1), attached);
            if (!line)
                throw std::runtime_error(line.error().text());
            if (!*line)
                return 0;
            nursery.obey(**line, std::move(attached));
        }
    } catch (const std::exception& failure) {
        (void)send_packet(kControlFd, encode(Broken{failure.what()}).line());
        return 1;
    }
}

}  // namespace healthcheckd::master
