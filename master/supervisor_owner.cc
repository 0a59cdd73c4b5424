#include "master/supervisor_owner.h"

#include "common/line_codec.h"
#include "master/open_sockets.h"

#include <cstring>
#include <fstream>
#include <poll.h>
#include <spdlog/fmt/fmt.h>
#include <sstream>
#include <sys/socket.h>
#include <sys/un.h>
#include <vector>

namespace healthcheckd::master {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kBacklogPause = 10ms;
constexpr int kMostSockets = 200'000;  // lines of /proc/net/unix

std::string who(uid_t uid) {
    return uid == 0 ? "root" : fmt::format("uid {}", uid);
}

// The name that the other end was bound to, which is not always the path that was connected to: supervisord
// binds another name and links the two. Empty: none.
std::string bound_name(int socket) {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
        size <= offsetof(sockaddr_un, sun_path))
        return {};
    return {address.sun_path, ::strnlen(address.sun_path, size - offsetof(sockaddr_un, sun_path))};
}

// "socket:[123]", as /proc/PID/fd shows it, of each socket that listens under `name` (proc_net_unix(5)).
std::vector<std::string> listeners_named(const std::string& name) {
    constexpr std::string_view kListens = "00010000";  // __SO_ACCEPTCON
    std::vector<std::string> found;
    std::ifstream table("/proc/net/unix");
    std::string line;
    for (int n = 0; n < kMostSockets && std::getline(table, line); ++n) {
        std::istringstream fields(line);
        std::string address, references, protocol, flags, type, state, inode, path;
        fields >> address >> references >> protocol >> flags >> type >> state >> inode;
        std::getline(fields >> std::ws, path);
        if (flags == kListens && path == name)
            found.push_back("socket:[" + inode + "]");
    }
    return found;
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
    return {::geteuid(), config.supervisord_owner, seen};
}

PeerConnection connect_to_peer(const std::string& path, Clock::time_point deadline) {
    PeerConnection peer;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        peer.error = ENAMETOOLONG;
        return peer;
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) {
        peer.error = errno;
        return peer;
    }
    // EAGAIN: as many wait to be accepted as may. The kernel does not go on by itself (connect(2)).
    while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        peer.error = errno;
        if (peer.error != EAGAIN && peer.error != EINTR)
            return peer;
        if (Clock::now() + kBacklogPause > deadline) {
            peer.error = ETIMEDOUT;
            return peer;
        }
        ::poll(nullptr, 0, static_cast<int>(kBacklogPause.count()));
    }
    peer.error = 0;
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        peer.error = errno;
        return peer;
    }
    peer.uid = credentials.uid;
    peer.pid = credentials.pid;
    peer.socket = std::move(socket);
    return peer;
}

Result<void> check_supervisor(pid_t parent, const std::string& path, const OwnerRule& rule) {
    const PeerConnection peer = connect_to_peer(path, Clock::now() + 1s);
    if (!peer.socket)
        return Error{"supervisord cannot be reached to see whose process it is", peer.error};
    if (!rule.believes(peer.uid))
        return Error{"supervisord at unix://" + printable(path) + " " + rule.refusal(peer.uid)};
    if (peer.pid == 0)
        return Error{"supervisord's process is not to be seen from here (another pid namespace)"};
    if (peer.pid == parent)
        return {};
    const auto holds = holds_one_of(parent, listeners_named(bound_name(peer.socket.get())));
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
