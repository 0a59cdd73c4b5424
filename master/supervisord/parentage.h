// Is a process that supervisord's table names the one that supervisord started? A supervisord in another pid
// namespace, or behind a forwarded port, names numbers that mean somebody else here. Master.
//
// supervisord forks its programs by itself, so the parent of each is supervisord: the process that it says it
// is (getPID), where that is one of this pid namespace. At a unix socket the kernel says which process
// listens (unix(7), SO_PEERCRED). That is supervisord, or has ended when supervisord made itself a daemon
// (it listens first and forks then), or passes connections on; but when it has another number in a pid
// namespace of its own, and that is the one that supervisord says, supervisord is there and not here. At a
// port the process must have the socket open that listens there. Process 1 is the parent of all that have
// lost theirs, so that its number alone proves nothing.
#pragma once

#include "common/system/result.h"
#include "common/wire/protocol.h"
#include "master/reader/process_reader.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::master {

// A process as seen from here.
struct SeenProcess {
    std::uint64_t start_ticks = 0;  // since boot (proc(5)); 0: there is no such process here
    pid_t ppid = 0;
    std::string stranger = {};  // why supervisord cannot be its parent; empty: it is
    bool proven = false;        // its parent is known to be who answers, and not only by its number
};

class Parentage {
public:
    // ProcessReader::identify().
    using Identify = std::function<void(pid_t pid, ProcessReader::OnProcess done)>;
    using OnSeen = std::function<void(Result<SeenProcess>)>;

    // ProcessReader::holds().
    using Holds = std::function<void(pid_t pid, std::uint16_t port, ProcessReader::OnHeld done)>;

    // `port`: at which supervisord listens on this machine; 0: not at a port of it.
    Parentage(Identify identify, Holds holds, std::uint16_t port)
        : identify_(std::move(identify)), holds_(std::move(holds)), port_(port) {}
    // Asks `processes`, which outlives it.
    Parentage(ProcessReader& processes, std::uint16_t port)
        : Parentage([&processes](pid_t pid,
                                 ProcessReader::OnProcess done) { processes.identify(pid, std::move(done)); },
                    [&processes](pid_t pid, std::uint16_t at, ProcessReader::OnHeld done) {
                        processes.holds(pid, at, std::move(done));
                    },
                    port) {}

    // Who gave the answer that is taken in next.
    void use(const SupervisorLine& supervisord);

    // Calls back once, at once or from the loop; fails as `identify` does. Where supervisord is known to be
    // elsewhere there is an answer for a number that no process has here too.
    void look(pid_t pid, OnSeen done);

private:
    struct Waiting {
        Result<ProcessReader::Process> process;
        OnSeen done;
    };

    void ask_about_listener(pid_t listener);
    void ask_about_port();
    void on_listener(const Result<ProcessReader::Process>& listener);
    void on_held(const Result<bool>& held);
    // What is known of supervisord from now on; `again`: that is to be found out anew with the next answer.
    void settle(std::string elsewhere, bool proven, bool again);
    void answer(const Result<ProcessReader::Process>& process, const OnSeen& done) const;
    std::string stranger(pid_t parent) const;

    Identify identify_;
    Holds holds_;
    std::uint16_t port_;
    SupervisorLine supervisord_;
    std::uint64_t question_ = 0;  // counts looks at listeners
    // Why nobody here can be supervisord's child, empty: somebody can; nullopt: that is looked at.
    std::optional<std::string> elsewhere_ = std::string();
    bool proven_ = false;           // the process that supervisord says it is, is the one that listens
    std::vector<Waiting> waiting_;  // for the listener
};

}  // namespace healthcheckd::master
