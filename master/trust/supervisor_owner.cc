#include "master/trust/supervisor_owner.h"

#include "common/proc/open_sockets.h"
#include "common/text/printable.h"
#include "master/trust/supervisor_socket.h"
#include "master/trust/unix_listener.h"

#include <chrono>
#include <fstream>
#include <spdlog/fmt/fmt.h>
#include <sstream>
#include <vector>

namespace healthcheckd::master {

namespace {

using namespace std::chrono_literals;

constexpr int kMostUnixLines = 200'000;  // lines of /proc/net/unix

std::string who(uid_t uid) {
    return uid == 0 ? "root" : fmt::format("uid {}", uid);
}

// Returns "socket:[123]", as /proc/PID/fd shows it, for each socket that listens at `name`
// (proc_net_unix(5)).
std::vector<std::string> listeners_named(const std::string& name) {
    constexpr std::string_view kListens = "00010000";  // __SO_ACCEPTCON
    std::vector<std::string> found;
    std::ifstream table("/proc/net/unix");
    std::string line;
    for (int n = 0; n < kMostUnixLines && std::getline(table, line); ++n) {
        std::istringstream fields(line);
        std::string address, references, protocol, flags, type, state, inode, path;
        fields >> address >> references >> protocol >> flags >> type >> state >> inode;
        std::getline(fields >> std::ws, path);
        if (flags == kListens && path == name)
            found.push_back("socket:[" + inode + "]");
    }
    return found;
}

// Returns whether `parent` visibly holds the socket that listens at `place`; makes no connection. In a sticky
// folder the bound name matters as well, which only a connection shows.
bool holds_listener_at(pid_t parent, const SocketPlace& place, const OwnerRule& rule) {
    if (!place.socket || place.sticky)
        return false;
    const auto listener = listener_at(place.socket.get());
    if (!listener || !rule.believes(listener->uid))
        return false;
    const auto holds = holds_one_of(parent, {"socket:[" + std::to_string(listener->inode) + "]"});
    return holds && *holds;
}

}  // namespace

bool OwnerRule::believes(uid_t uid) const {
    return allows(uid) && (!seen || uid == *seen);
}

bool OwnerRule::allows(uid_t uid) const {
    return uid == 0 || uid == own || (named && uid == *named);
}

std::string OwnerRule::refusal(uid_t uid) const {
    if (allows(uid) && seen)
        return fmt::format("is not believed: {} listens there, and it was {} when healthcheckd was started; "
                           "start healthcheckd again if that is meant",
                           who(uid), who(*seen));
    return fmt::format("is not believed: {} listens there, neither root nor healthcheckd's own user; if that "
                       "is meant, say config.supervisordOwner: {}{}",
                       who(uid), uid, seen && uid != *seen ? " and start healthcheckd again" : "");
}

OwnerRule owner_rule(const Config& config, std::optional<uid_t> seen) {
    return {.own = ::geteuid(), .named = config.supervisord_owner, .seen = seen};
}

Result<void> check_supervisor(pid_t parent, const std::string& path, const OwnerRule& rule) {
    const SocketPlace place = find_socket(path, rule);
    if (holds_listener_at(parent, place, rule))
        return {};
    const PeerConnection peer = connect_to_peer(place, std::chrono::steady_clock::now() + 1s);
    if (!peer.refusal.empty())
        return Error{"supervisord at unix://" + printable(path) + " " + peer.refusal};
    if (!peer.socket)
        return Error{"supervisord cannot be reached to see whose process it is", peer.error};
    if (!rule.believes(peer.uid))
        return Error{"supervisord at unix://" + printable(path) + " " + rule.refusal(peer.uid)};
    if (peer.pid == 0)
        return Error{"supervisord's process is not to be seen from here (another pid namespace)"};
    if (peer.pid == parent)
        return {};
    const auto holds = holds_one_of(parent, listeners_named(peer.bound));
    if (holds && *holds)
        return {};
    const std::string meant = "the supervisord that listens at unix://" + printable(path);
    if (holds)
        return Error{fmt::format("its parent, pid {}, is not {}", parent, meant)};
    const bool forbidden = holds.error().code == EACCES || holds.error().code == EPERM;
    return Error{fmt::format(
        "it cannot be seen whether its parent, pid {}, is {}: {}{}", parent, meant, holds.error().text(),
        forbidden ? "; it takes CAP_SYS_PTRACE to see what another process has open" : "")};
}

}  // namespace healthcheckd::master
