// The way to supervisord's unix socket, on which nobody but who may be supervisord decides where it leads.
// Link's connector, and action.
//
// SO_PEERCRED tells who called listen(2), which is not always who answers: supervisord itself listens for its
// FastCGI programs and hands them the socket. So it is not enough that root listens at the path: nobody else
// must be able to put another socket there.
#pragma once

#include "common/system/unique_fd.h"
#include "master/trust/supervisor_owner.h"

#include <chrono>
#include <string>
#include <sys/types.h>

namespace healthcheckd::master {

// A socket as it was found.
struct SocketPlace {
    UniqueFd socket;      // O_PATH; empty: see what follows
    int error = 0;        // errno of the way to it
    std::string refusal;  // why what is there must not be connected to, in words that follow "supervisord at
                          // ... "; empty: nothing is wrong, or `error` says what
    uid_t uid = 0;        // of the file
    gid_t gid = 0;
    std::string path;       // as it was given
    std::string real_path;  // without links
    bool sticky = false;    // it is in a folder where others may make files, too
};

// Looks for the socket at `path`. It is refused
//   - beyond a symbolic link, unless it is in a folder that only root or those whom `rule` allows can change,
//     as is every folder above it; and when it is a link itself, or no socket
//   - in or below a folder of somebody else, or one that its group or all may write to. A sticky folder of
//     root's or theirs will do where the socket's file belongs to root or them, too.
// Opens nothing but O_PATH; may wait for the disks on the way.
SocketPlace find_socket(const std::string& path, const OwnerRule& rule);

// A connection to a unix socket, and who listens there: the process that called listen(2), by SO_PEERCRED
// (unix(7)). Nothing has been sent on it.
struct PeerConnection {
    UniqueFd socket;      // non-blocking; empty after an error
    int error = 0;        // errno of SocketPlace or connect(2); ETIMEDOUT when `deadline` passed
    std::string refusal;  // as in SocketPlace
    uid_t uid = 0;
    pid_t pid = 0;  // 0: in a pid namespace that is not seen from here. May have ended long ago.
    // The name that the socket was bound to, which is not always the path that was connected to: supervisord
    // binds another name and links the two. Empty: none.
    std::string bound;
};
// Connects to exactly what was found, whatever is at its path now. Dependencies /proc.
PeerConnection connect_to_peer(const SocketPlace& place, std::chrono::steady_clock::time_point deadline);

}  // namespace healthcheckd::master
