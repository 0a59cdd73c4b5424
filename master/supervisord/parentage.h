// Decides whether a process in supervisord's table is the one that supervisord started. A
// supervisord in another pid namespace, or behind a forwarded port, reports pids that belong to
// other processes here. Master.
//
// supervisord forks its programs itself, so it is the parent of each: the process that it claims to be
// (getPID), if that is in this pid namespace. At a unix socket the kernel reports which process listens
// (unix(7), SO_PEERCRED). This process is supervisord; or it has ended, when supervisord daemonized (it
// listens first and forks then); or it passes connections on. But when it has another pid in a nested pid
// namespace, and supervisord reports that pid, then supervisord is in that namespace and not in this one. At
// a TCP port, the process must own the socket that listens there. Process 1 becomes the parent of all
// orphans, so its pid alone proves nothing.
#pragma once

#include "common/system/result.h"
#include "common/wire/protocol_supervisord.h"
#include "master/reader/process_reader.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace healthcheckd::master {

// A process as seen from this pid namespace.
struct SeenProcess {
    std::uint64_t start_ticks = 0;  // since boot (proc(5)); 0: no such process here
    pid_t ppid = 0;
    std::string stranger = {};  // why supervisord cannot be its parent; empty: it is
    bool proven = false;        // its parent is proven to be the process that answers, not only by its pid
};

class Parentage {
public:
    // ProcessReader::identify().
    using Identify = std::function<void(pid_t pid, ProcessReader::OnProcess done)>;
    using OnSeen = std::function<void(Result<SeenProcess>)>;

    // ProcessReader::holds().
    using Holds = std::function<void(pid_t pid, std::uint16_t port, ProcessReader::OnHeld done)>;

    // `port`: where supervisord listens on this machine; 0: not at a local port.
    Parentage(Identify identify, Holds holds, std::uint16_t port)
        : identify_(std::move(identify)), holds_(std::move(holds)), port_(port) {}
    // Asks `processes`, which must outlive it.
    Parentage(ProcessReader& processes, std::uint16_t port)
        : Parentage([&processes](pid_t pid,
                                 ProcessReader::OnProcess done) { processes.identify(pid, std::move(done)); },
                    [&processes](pid_t pid, std::uint16_t at, ProcessReader::OnHeld done) {
                        processes.holds(pid, at, std::move(done));
                    },
                    port) {}

    // Sets the process that gave the answer to be processed next.
    void use(const SupervisorLine& supervisord);

    // Looks up a process; calls back once, possibly before it returns. Fails as `identify` does. When
    // supervisord is known to be elsewhere, it also succeeds for a pid that no process has here.
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
    // Sets what is known of supervisord; `again`: find out anew with the next answer.
    void settle(std::string elsewhere, bool proven, bool again);
    void answer(const Result<ProcessReader::Process>& process, const OnSeen& done) const;
    std::string stranger(pid_t parent) const;

    Identify identify_;
    Holds holds_;
    std::uint16_t port_;
    SupervisorLine supervisord_;
    std::uint64_t question_ = 0;  // number of lookups of listeners
    // Why no process here can be supervisord's child; "": one can; nullopt: being looked up.
    std::optional<std::string> elsewhere_ = std::string();
    bool proven_ = false;           // the process that supervisord claims to be is the one that listens
    std::vector<Waiting> waiting_;  // for the listener
};

}  // namespace healthcheckd::master
