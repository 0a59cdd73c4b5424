// The path to supervisord's unix socket, which only users that may run supervisord must be able to change.
// Link's connector, and action.
//
// SO_PEERCRED returns the process that called listen(2), which is not always the one that answers:
// supervisord itself listens for its FastCGI programs and passes the socket on. So it is not enough that root
// listens at the path: nobody else may be able to put another socket there.
#pragma once

#include "common/system/unique_fd.h"
#include "master/trust/supervisor_owner.h"

#include <chrono>
#include <string>
#include <sys/types.h>

namespace healthcheckd::master {

// A socket as it was found.
struct SocketPlace {
    UniqueFd socket;  // O_PATH; empty: see the members below
    int error = 0;    // errno of opening the path
    // Why it must not be connected to, in words that follow "supervisord at ... "; empty: no
    // reason, or `error` is set.
    std::string refusal;
    uid_t uid = 0;  // of the file
    gid_t gid = 0;
    std::string path;       // as given
    std::string real_path;  // without symbolic links
    bool sticky = false;    // it is in a folder where others may create files, too
};

// Opens the socket at `path`. Refuses it
//   - beyond a symbolic link, unless the link is in a folder that, like all folders above it, only root or users
//     that `rule` allows can change; and when the socket is a link itself, or no socket
//   - in or below a folder of another user, or one that its group or all may write to. A sticky folder of root or
//     of these users is accepted if the socket's file also belongs to root or to them.
// Opens nothing but O_PATH; may block on file systems on the way.
SocketPlace find_socket(const std::string& path, const OwnerRule& rule);

// A connection to a unix socket, and the process that called listen(2) there, by SO_PEERCRED
// (unix(7)). Nothing has been sent.
struct PeerConnection {
    UniqueFd socket;      // non-blocking; empty after an error
    int error = 0;        // errno of SocketPlace or connect(2); ETIMEDOUT when `deadline` passed
    std::string refusal;  // as in SocketPlace
    uid_t uid = 0;
    pid_t pid = 0;  // 0: in a pid namespace that is not visible from here. May have ended long ago.
    // The name that the socket was bound to, which may differ from the path connected to: supervisord binds
    // another name and links the two. Empty: none.
    std::string bound;
};
// Connects to exactly the socket that was found, whatever is at its path now. Requires /proc.
PeerConnection connect_to_peer(const SocketPlace& place, std::chrono::steady_clock::time_point deadline);

}  // namespace healthcheckd::master
