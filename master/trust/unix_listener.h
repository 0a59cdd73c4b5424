// Finds the socket that listens at a file by asking the kernel. Connecting instead would fail with a listener
// that is frozen or busy, and fill its queue. Action.
#pragma once

#include <cstdint>
#include <optional>
#include <sys/types.h>

namespace healthcheckd::master {

struct UnixListener {
    std::uint32_t inode = 0;  // of the socket, as in "socket:[123]"
    uid_t uid = 0;            // the user that created it
};

// Returns the listening unix socket that is bound to the file behind the descriptor `file` (O_PATH), by
// sock_diag(7). Returns nullopt when there is none or more than one, or where the kernel does not tell (no
// unix_diag, before Linux 5.3, a file system whose device numbers differ from stat(2)). Examines at most
// 100,000 sockets, and waits for the kernel for at most a second.
std::optional<UnixListener> listener_at(int file);

}  // namespace healthcheckd::master
