#include "master/trust/supervisor_socket.h"

#include "common/file/folder_walk.h"
#include "common/system/unix_socket.h"
#include "common/text/printable.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <spdlog/fmt/fmt.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>

namespace healthcheckd::master {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kBacklogPause = 10ms;

std::string link_refused(const std::string& what) {
    return "is not believed: " + what +
           ", which may come to lead elsewhere; give supervisordUrl the path without it";
}

std::string folder_refused(const WalkedFolder& folder, const OwnerRule& rule) {
    const std::string shown = printable(folder.foreign);
    if (!rule.allows(folder.foreign_uid))
        return fmt::format(
            "is not believed: the folder {} belongs to uid {}, who can put another socket there; "
            "if that is meant, say config.supervisordOwner: {}, else give the folder to root, or "
            "have the socket in another one, such as /run",
            shown, folder.foreign_uid, folder.foreign_uid);
    return fmt::format(
        "is not believed: others than its owner may write to the folder {}, and so put another "
        "socket there; take that right from them (chmod go-w), or have the socket in another "
        "folder, such as /run",
        shown);
}

std::string bound_name(int socket) {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
        size <= offsetof(sockaddr_un, sun_path))
        return {};
    return {address.sun_path, ::strnlen(address.sun_path, size - offsetof(sockaddr_un, sun_path))};
}

// Returns whether it is `path`, or what supervisord links to `path`: the same with a suffix.
bool is_name_of(std::string_view bound, std::string_view path) {
    return bound.starts_with(path) && bound.find('/', path.size()) == std::string_view::npos;
}

// Anybody can move a socket of root from a folder of his own into a sticky folder. The bound name
// shows where it was created.
bool was_moved_here(const SocketPlace& place, const std::string& bound) {
    return place.sticky && !is_name_of(bound, place.path) && !is_name_of(bound, place.real_path);
}

}  // namespace

SocketPlace find_socket(const std::string& path, const OwnerRule& rule) {
    SocketPlace place;
    place.path = path;
    const std::filesystem::path whole(path);
    const auto folder = open_folder(whole.parent_path().string(), {.trusted_links = true,
                                                                   .self = rule.own,
                                                                   .other = rule.named,
                                                                   .outside = rule.outside,
                                                                   .roots_group = true});
    if (!folder) {
        place.error = folder.error().code != 0 ? folder.error().code : EINVAL;
        if (place.error == ELOOP)
            place.refusal = link_refused(folder.error().what);
        return place;
    }
    if (!folder->foreign.empty()) {
        place.refusal = folder_refused(*folder, rule);
        return place;
    }
    const std::string name = whole.filename().string();
    place.real_path = folder->place + '/' + name;
    place.sticky = folder->sticky;
    UniqueFd there(::openat(folder->fd.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!there || ::fstat(there.get(), &status) != 0) {
        place.error = errno;
        return place;
    }
    place.uid = status.st_uid;
    place.gid = status.st_gid;
    if (S_ISLNK(status.st_mode))
        place.refusal = link_refused(printable(path) + " is a symbolic link");
    else if (!S_ISSOCK(status.st_mode))
        place.error = ECONNREFUSED;  // as connect(2) returns
    else if (place.sticky && !rule.allows(place.uid))
        place.refusal =
            fmt::format("is not believed: the socket belongs to uid {}, in a folder where everybody "
                        "may put one; if that is meant, say config.supervisordOwner: {}",
                        place.uid, place.uid);
    else
        place.socket = std::move(there);
    return place;
}

PeerConnection connect_to_peer(const SocketPlace& place, Clock::time_point deadline) {
    PeerConnection peer;
    peer.error = place.error;
    peer.refusal = place.refusal;
    if (!place.socket)
        return peer;
    const std::string path = fmt::format("/proc/self/fd/{}", place.socket.get());
    UniqueFd socket = make_unix_socket();
    if (!socket) {
        peer.error = errno;
        return peer;
    }
    // EAGAIN: the queue of the listener is full. connect(2) does not continue by itself.
    while (const int error = connect_unix(socket, path)) {
        peer.error = error;
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
    peer.bound = bound_name(socket.get());
    if (was_moved_here(place, peer.bound))
        peer.refusal = fmt::format("is not believed: the socket was made elsewhere, as {}, in a folder where "
                                   "everybody may put one; have it in another folder, such as /run",
                                   peer.bound.empty() ? "one without a name" : printable(peer.bound));
    else
        peer.socket = std::move(socket);
    return peer;
}

}  // namespace healthcheckd::master
