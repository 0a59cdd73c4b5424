// The master's end of the nursery, the process that workers are forked from. Master.
//
// A worker has a copy of its parent's memory, page tables and descriptors. Those of the master grow with the number of
// cats, and hold the commands, addresses and verdicts of all of them; the nursery stays as small as the program at its
// start, and has what a few workers need, for the time of their forks. The workers are the master's children all the
// same (clone(2), CLONE_PARENT).
#pragma once

#include "common/config/config.h"
#include "common/proc/pid_finder.h"
#include "common/system/result.h"
#include "common/system/unique_fd.h"
#include "worker/entry.h"

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace healthcheckd::master {

// Which worker to start.
struct Birth {
    std::shared_ptr<const Config> config;
    std::size_t index = 0;  // of its cat
    std::string name;       // as in worker::WorkerStart
    std::string program;
    bool logs = true;
    LeftOut left_out = {};
};

class Nursery {
public:
    // The main function of a worker.
    using WorkerMain = std::function<int(const worker::WorkerStart&)>;

    // `control`: the master's end of the control channel of a process that runs run_nursery().
    explicit Nursery(UniqueFd control) : control_(std::move(control)) {}

    // One worker to fork. `control` and `report` are its ends of the two channels, `mark` becomes its look mark (-1:
    // it has none), and it changes to `user`.
    struct Order {
        const Birth& birth;
        std::string_view title;
        int control, report, mark;
        const ChildUser& user;
    };
    static constexpr std::size_t kMostTogether = 64;
    // Starts up to kMostTogether workers, and waits for that. Returns the pid of each, or the negative error of
    // fork(2), or -ENAMETOOLONG when the names in an order do not fit a line. Fails when this process lacks descriptors
    // or memory, and then has sent nothing; or when the nursery has ended, or does not answer within 5 s.
    Result<std::vector<pid_t>> fork(std::span<const Order> orders);

    // The nursery has failed: it is to be replaced.
    bool lost() const { return lost_; }

private:
    struct Group;
    Result<std::vector<pid_t>> converse(std::span<const Group> groups, std::span<const Order> orders);
    Result<void> configure(const Group& group);
    Result<void> send(std::string_view line, std::span<const int> attached);
    // Waits for an answer of the type.
    template <class Answer> Result<Answer> receive();

    UniqueFd control_;
    bool lost_ = false;
};

}  // namespace healthcheckd::master
