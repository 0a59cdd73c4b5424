// Is a process that supervisord's table names the one that supervisord started? A supervisord in another pid
// namespace, or behind a forwarded port, names numbers that mean somebody else here. Master.
//
// supervisord forks its programs by itself, so the parent of each is supervisord: the process that it says it
// is (getPID), where that is one of this pid namespace. At a unix socket the kernel says which process
// listens (unix(7), SO_PEERCRED). That is supervisord, or has ended when supervisord made itself a daemon
// (it listens first and forks then), or passes connections on; but when it has another number in a pid
// namespace of its own, and that is the one that supervisord says, supervisord is there and not here.
#pragma once

#include "common/protocol.h"
#include "common/result.h"
#include "master/process_reader.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::master {

// A process as seen from here.
struct SeenProcess {
    std::uint64_t start_ticks = 0;  // since boot (proc(5))
    pid_t ppid = 0;
    std::string stranger = {};  // why supervisord cannot be its parent; empty: it is
};

class Parentage {
public:
    // ProcessReader::identify().
    using Identify = std::function<void(pid_t pid, ProcessReader::OnProcess done)>;
    using OnSeen = std::function<void(Result<SeenProcess>)>;

    explicit Parentage(Identify identify) : identify_(std::move(identify)) {}

    // Who gave the answer that is taken in next.
    void use(const SupervisorLine& supervisord);

    // Calls back once, at once or from the loop; fails as `identify` does.
    void look(pid_t pid, OnSeen done);

private:
    struct Waiting {
        ProcessReader::Process process;
        OnSeen done;
    };

    void on_listener(const Result<ProcessReader::Process>& listener);
    void answer(const ProcessReader::Process& process, const OnSeen& done) const;
    std::string stranger(pid_t parent) const;

    Identify identify_;
    SupervisorLine supervisord_;
    std::uint64_t question_ = 0;  // counts looks at listeners
    // Why nobody here can be supervisord's child, empty: somebody can; nullopt: the listener is looked at.
    std::optional<std::string> elsewhere_ = std::string();
    std::vector<Waiting> waiting_;  // for the listener
};

}  // namespace healthcheckd::master
