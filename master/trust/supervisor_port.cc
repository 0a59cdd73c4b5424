#include "master/trust/supervisor_port.h"

#include "common/proc/open_sockets.h"
#include "common/proc/proc_status.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <sstream>
#include <string>
#include <vector>

namespace healthcheckd::master {

namespace {

constexpr int kMostListeners = 200'000;  // lines of /proc/net/tcp, which lists listeners first

struct Listener {
    uid_t uid = 0;
    std::string link;  // "socket:[123]", as /proc/PID/fd shows it
};

// Adds the sockets that listen at `port` according to one of the kernel's tables (proc_net_tcp(5)).
void add_listeners(const char* table_path, std::uint16_t port, std::vector<Listener>& found) {
    constexpr std::string_view kListens = "0A";
    const std::string ending = fmt::format(":{:04X}", port);
    std::ifstream table(table_path);
    std::string line;
    for (int n = 0; n < kMostListeners && std::getline(table, line); ++n) {
        std::istringstream fields(line);
        std::string slot, local, remote, state, queues, timer, retransmits, timeout, inode;
        uid_t uid = 0;
        fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >>
            inode;
        if (n > 0 && state != kListens)
            return;  // listeners come first
        if (fields && state == kListens && local.ends_with(ending))
            found.push_back({uid, "socket:[" + inode + "]"});
    }
}

std::vector<Listener> listeners_at(std::uint16_t port) {
    std::vector<Listener> found;
    add_listeners("/proc/net/tcp", port, found);
    add_listeners("/proc/net/tcp6", port, found);
    return found;
}

std::vector<std::string> links_of(const std::vector<Listener>& listeners) {
    std::vector<std::string> links;
    for (const Listener& each : listeners)
        links.push_back(each.link);
    return links;
}

// Reads /proc/PID/status: the owner of /proc/PID is root for a process that must not be traced.
std::optional<uid_t> effective_uid(pid_t pid) {
    std::istringstream fields(proc_status(pid, "Uid").value_or(""));
    uid_t real = 0, effective = 0;
    return fields >> real >> effective ? std::optional(effective) : std::nullopt;
}

}  // namespace

Result<bool> holds_listener(pid_t pid, std::uint16_t port) {
    return holds_early_one_of(pid, links_of(listeners_at(port)));
}

Result<void> check_supervisor_port(pid_t parent, std::uint16_t port, const OwnerRule& rule) {
    std::vector<Listener> listeners = listeners_at(port);
    if (listeners.empty())
        return Error{"supervisord cannot be seen, so not whose process it is: nobody listens at port " +
                     std::to_string(port)};
    const uid_t first = listeners.front().uid;
    std::erase_if(listeners, [&](const Listener& each) { return !rule.believes(each.uid); });
    if (listeners.empty())
        return Error{fmt::format("supervisord at port {} {}", port, rule.refusal(first))};
    const auto holds = holds_one_of(parent, links_of(listeners));
    if (holds && *holds)
        return {};
    // Process 1 is the parent of all orphans.
    if (parent != 1 && !holds && (holds.error().code == EACCES || holds.error().code == EPERM))
        if (const auto uid = effective_uid(parent);
            uid && std::ranges::any_of(listeners, [&](const Listener& each) { return each.uid == *uid; }))
            return {};
    std::string why =
        fmt::format("its parent, pid {}, is not the supervisord that listens at port {}", parent, port);
    if (!holds)
        why += ", as far as can be seen (" + holds.error().text() + ")";
    return Error{std::move(why)};
}

}  // namespace healthcheckd::master
