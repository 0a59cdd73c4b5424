#include "master/supervisor_port.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <dirent.h>
#include <fstream>
#include <memory>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace healthcheckd::master {

namespace {

constexpr int kMostSockets = 200'000;     // lines of /proc/net/tcp, where listeners come first
constexpr int kMostDescriptors = 70'000;  // of one process
constexpr int kMostLines = 100;           // of /proc/PID/status

struct Listener {
    uid_t uid = 0;
    std::string link;  // "socket:[123]", as /proc/PID/fd shows it
};

// What listens at `port` by one of the kernel's tables (proc_net_tcp(5)).
void add_listeners(const char* table_path, std::uint16_t port, std::vector<Listener>& found) {
    constexpr std::string_view kListens = "0A";
    const std::string ending = fmt::format(":{:04X}", port);
    std::ifstream table(table_path);
    std::string line;
    for (int n = 0; n < kMostSockets && std::getline(table, line); ++n) {
        std::istringstream fields(line);
        std::string slot, local, remote, state, queues, timer, retransmits, timeout, inode;
        uid_t uid = 0;
        fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >>
            inode;
        if (fields && state == kListens && local.ends_with(ending))
            found.push_back({uid, "socket:[" + inode + "]"});
    }
}

// Error EACCES or EPERM: its descriptors are not to be read from here.
Result<bool> holds_one_of(pid_t pid, const std::vector<Listener>& listeners) {
    const std::string folder = fmt::format("/proc/{}/fd", pid);
    const std::unique_ptr<DIR, int (*)(DIR*)> list(::opendir(folder.c_str()), &::closedir);
    if (!list)
        return system_error(folder);
    for (int n = 0; n < kMostDescriptors; ++n) {
        const dirent* entry = ::readdir(list.get());
        if (entry == nullptr)
            break;
        std::array<char, 64> target;
        const ssize_t size = ::readlinkat(::dirfd(list.get()), entry->d_name, target.data(), target.size());
        if (size < 0 && (errno == EACCES || errno == EPERM))
            return system_error(folder);
        const std::string_view text(target.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        if (std::ranges::any_of(listeners, [&](const Listener& each) { return each.link == text; }))
            return true;
    }
    return false;
}

// Not the owner of /proc/PID, which is root for a process that must not be traced.
std::optional<uid_t> effective_uid(pid_t pid) {
    std::ifstream status(fmt::format("/proc/{}/status", pid));
    std::string line;
    for (int n = 0; n < kMostLines && std::getline(status, line); ++n) {
        if (!line.starts_with("Uid:"))
            continue;
        std::istringstream fields(line.substr(4));
        uid_t real = 0, effective = 0;
        if (fields >> real >> effective)
            return effective;
    }
    return std::nullopt;
}

}  // namespace

Result<void> check_supervisor_port(pid_t parent, std::uint16_t port, const OwnerRule& rule) {
    std::vector<Listener> listeners;
    add_listeners("/proc/net/tcp", port, listeners);
    add_listeners("/proc/net/tcp6", port, listeners);
    if (listeners.empty())
        return Error{"supervisord cannot be seen, so not whose process it is: nobody listens at port " +
                     std::to_string(port)};
    const uid_t first = listeners.front().uid;
    std::erase_if(listeners, [&](const Listener& each) { return !rule.believes(each.uid); });
    if (listeners.empty())
        return Error{fmt::format("supervisord at port {} {}", port, rule.refusal(first))};
    const auto holds = holds_one_of(parent, listeners);
    if (holds && *holds)
        return {};
    if (!holds && (holds.error().code == EACCES || holds.error().code == EPERM))
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
